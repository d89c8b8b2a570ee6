//! What the store promises, kept by the embedded table and by Amazon's own `DynamoDB Local`.

mod contracts;
mod dynamodb_local;
mod inboxes;
mod races;
mod registry;

use std::pin::Pin;

use tests::Table;

use dynamodb_local::DynamodbLocal;

type Contract = (&'static str, fn(Table) -> Pin<Box<dyn Future<Output = ()>>>);

macro_rules! contracts {
    ($($module:ident::$name:ident,)*) => {
        const CONTRACTS: &[Contract] = &[
            $((stringify!($name), |table| Box::pin($module::$name(table))),)*
        ];

        mod embedded {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$module::$name(tests::Table::embedded().await).await;
                }
            )*
        }
    };
}

contracts! {
    contracts::a_creation_happens_once_and_the_second_finds_the_first,
    contracts::of_two_changes_to_one_version_the_first_counts,
    contracts::a_write_at_the_deadline_is_refused_by_the_table_itself,
    contracts::several_changes_are_written_together_or_not_at_all,
    contracts::every_commit_names_the_digest_of_the_one_before,
    contracts::history_after_a_number_is_what_came_after_it,
    contracts::pointers_stand_exactly_where_the_state_wants_them,
    contracts::timers_are_read_in_order_and_page_by_page,
    contracts::a_timer_is_never_due_before_what_it_waits_for,
    contracts::an_offer_that_became_visible_late_is_shown_once,
    contracts::a_showing_is_noted_once_and_never_on_what_is_gone,
    contracts::offers_that_were_shown_do_not_crowd_out_new_ones,
    contracts::requests_are_counted_by_key_endpoint_and_minute,
    contracts::recent_intents_are_listed_over_pages_and_days,
    contracts::an_attachment_is_stored_with_its_commit_or_not_at_all,
    contracts::what_is_too_large_is_refused_and_changes_nothing,
    contracts::keys_and_routes_come_back_as_they_were_stored,
    inboxes::a_thread_stands_in_the_inbox_of_each_owner_and_moves_with_its_agent,
    inboxes::a_batch_that_is_answered_in_parts_is_read_to_its_end,
    inboxes::many_intents_are_read_at_once_and_missing_ones_are_left_out,
    races::of_many_decisions_at_once_exactly_one_counts,
    races::of_many_results_at_once_exactly_one_counts,
    races::of_many_claims_at_once_exactly_one_may_run,
    registry::an_account_is_written_with_its_agent_or_not_at_all,
    registry::of_two_changes_to_one_account_the_first_counts,
    registry::an_account_has_so_many_keys_and_takes_them_with_it,
    registry::a_switch_is_thrown_once_and_outlives_changes_of_the_route,
    registry::heartbeats_add_up_and_name_the_one_before,
    registry::lists_of_the_registry_go_over_pages,
    races::no_update_is_lost_however_many_come_at_once,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dynamodb_local_keeps_every_contract() {
    let Some(server) = DynamodbLocal::start().await else { return };
    for (n, (name, contract)) in CONTRACTS.iter().enumerate() {
        // Each account has tables of its own.
        let table = Table::of_account(&server.endpoint, &format!("contract{n}")).await;
        contract(table).await;
        eprintln!("{name}: kept by DynamoDB Local");
    }
}
