//! What the registry can rely on: accounts with their agents and keys, heartbeats, and the switch.

use std::time::Duration;

use shared::account::{Account, AccountError, KEYS_PER_ACCOUNT_MAX};
use shared::address::Address;
use shared::app::{AccountChange, NewAccount, NewDelivery, REMEMBERED};
use shared::error::Error;
use shared::intent::envelope::Delivery;
use shared::mesh::{MeshEvent, MeshEventKind, Metrics};
use shared::principal::{Assurance, Principal, Role};
use shared::registration::Standing;
use shared::route::Route;
use tests::{Table, World};

const TENANT: &str = "default";

fn admin() -> Principal {
    Principal {
        tenant: TENANT.to_owned(),
        name: "local-admin".to_owned(),
        role: Role::Admin,
        address: None,
        assurance: Assurance::Key,
    }
}

fn address() -> Address {
    Address::parse("deployer").unwrap()
}

async fn create(world: &World) -> Result<Account, Error> {
    let new = NewAccount {
        org_id: Some("acme".to_owned()),
        workspace_id: Some("prod".to_owned()),
        name: "deployer".to_owned(),
        address: address(),
        display_name: None,
        created_by: None,
        delivery: NewDelivery::default(),
    };
    Ok(world.app.create_account(&admin(), new).await?.account)
}

async fn standing(world: &World) -> Standing {
    let route = world.app.store().route(TENANT, &address()).await.unwrap().unwrap();
    route.registration.standing()
}

pub(super) async fn an_account_is_written_with_its_agent_or_not_at_all(table: Table) {
    let world = World::over(table).await;
    let account = create(&world).await.unwrap();
    let alias = world.app.store().route(TENANT, &account.alias().unwrap()).await.unwrap().unwrap();
    assert_eq!((alias.to, alias.registration.owner), (address(), None));
    let agent = world.app.store().route(TENANT, &address()).await.unwrap().unwrap();
    assert_eq!(agent.registration.owner, Some(account.owner()));
    let before = world.table.items().await;
    let again = create(&world).await;
    assert!(
        matches!(&again, Err(Error::Account(AccountError::Exists(found))) if **found == account),
        "{again:?}"
    );
    assert_eq!(world.table.items().await, before);

    let suspend = AccountChange { standing: Some(Standing::Suspended), ..AccountChange::default() };
    let change = AccountChange {
        standing: Some(Standing::Active),
        delivery: NewDelivery { mode: Some(Delivery::Worker), ..NewDelivery::default() },
        display_name: Some("D".to_owned()),
    };
    for (change, expected) in [(suspend, Standing::Suspended), (change, Standing::Active)] {
        world.app.change_account(&admin(), account.id, change).await.unwrap();
        assert_eq!(standing(&world).await, expected);
    }
    let agent = world.app.store().route(TENANT, &address()).await.unwrap().unwrap();
    assert_eq!((agent.delivery, agent.display_name.as_deref()), (Delivery::Worker, Some("D")));
    world.app.delete_account(&admin(), account.id).await.unwrap();
    assert_eq!(standing(&world).await, Standing::Deleted);
    create(&world).await.unwrap();
    assert_eq!(standing(&world).await, Standing::Active);
}

pub(super) async fn of_two_changes_to_one_account_the_first_counts(table: Table) {
    let world = World::over(table).await;
    let account = create(&world).await.unwrap();
    let store = world.app.store();
    let stored = store.account(TENANT, account.id).await.unwrap().unwrap();
    let before = store.stored_route(TENANT, &address()).await.unwrap().unwrap();
    let after = Route { delivery: Delivery::Worker, ..before.route.clone() };
    let changed = Account { display_name: Some("D".to_owned()), ..account };
    let routes = [(before, after)];
    assert!(store.change_account(TENANT, &stored, &changed, &routes, None).await.unwrap());
    assert!(!store.change_account(TENANT, &stored, &changed, &[], None).await.unwrap());
    let stored = store.account(TENANT, changed.id).await.unwrap().unwrap();
    assert!(
        !store.change_account(TENANT, &stored, &changed, &routes, None).await.unwrap(),
        "the route is another one by now"
    );
}

pub(super) async fn an_account_has_so_many_keys_and_takes_them_with_it(table: Table) {
    let world = World::over(table).await;
    let account = create(&world).await.unwrap();
    let app = &world.app;
    let mut made = Vec::new();
    for _ in 0..KEYS_PER_ACCOUNT_MAX {
        made.push(app.create_account_key(&admin(), account.id, None).await.unwrap().0.id);
    }
    let over = app.create_account_key(&admin(), account.id, None).await;
    assert!(matches!(over, Err(Error::Account(AccountError::TooManyKeys))));
    app.revoke_account_key(&admin(), account.id, &made[0]).await.unwrap();
    made.push(app.create_account_key(&admin(), account.id, None).await.unwrap().0.id);
    app.delete_account(&admin(), account.id).await.unwrap();
    for id in made {
        let key = app.store().key(TENANT, &id).await.unwrap().unwrap();
        assert!(key.revoked_at.is_some());
    }
    let stored = app.store().account(TENANT, account.id).await.unwrap().unwrap();
    assert!(stored.key_ids.is_empty(), "the name is free again");
}

pub(super) async fn a_switch_is_thrown_once_and_outlives_changes_of_the_route(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let event = |kind, id: &str| MeshEvent {
        id: id.to_owned(),
        kind,
        agent: address(),
        actor: "local-admin".to_owned(),
        at: world.app.now(),
    };
    let kill = event(MeshEventKind::Killed, "1");
    assert!(store.kill(TENANT, &kill).await.unwrap());
    let before = world.table.items().await;
    assert!(!store.kill(TENANT, &event(MeshEventKind::Killed, "2")).await.unwrap());
    assert_eq!(world.table.items().await, before);
    store.put_route(TENANT, &Route::direct(address())).await.unwrap();
    assert_eq!(standing(&world).await, Standing::Killed);
    let registered = event(MeshEventKind::Registered, "3");
    assert!(!store.add_route(TENANT, &Route::direct(address()), &registered).await.unwrap());
    assert!(store.resume(TENANT, &event(MeshEventKind::Resumed, "4")).await.unwrap());
    assert!(!store.resume(TENANT, &event(MeshEventKind::Resumed, "5")).await.unwrap());
    assert_eq!(standing(&world).await, Standing::Active);
    let events = store.mesh_events(TENANT, 10, |_| true).await.unwrap();
    let ids: Vec<_> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["4", "1"]);
    assert!(store.mesh_events("another", 10, |_| true).await.unwrap().is_empty());
}

pub(super) async fn heartbeats_add_up_and_name_the_one_before(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let reported = Metrics { intents_total: 2, cost_micro_usd: 100_000, ..Metrics::default() };
    let latest = Metrics { intents_failed: 1, avg_latency_us: Some(5), ..reported };
    let first_at = world.app.now();
    assert_eq!(store.beat(TENANT, &address(), first_at, &reported).await.unwrap(), None);
    world.pass(REMEMBERED + Duration::from_secs(1));
    let now = world.app.now();
    assert_eq!(store.beat(TENANT, &address(), now, &latest).await.unwrap(), Some(first_at));
    assert_eq!(
        store.beat(TENANT, &address(), now, &Metrics::default()).await.unwrap(),
        Some(now),
        "a heartbeat that reports nothing"
    );
    let beat = store.last_beat(TENANT, &address()).await.unwrap().unwrap();
    let sums = Metrics { intents_total: 4, cost_micro_usd: 200_000, ..latest };
    assert_eq!((beat.heard_at, beat.metrics), (now, sums));
    assert_eq!(store.beats(TENANT, 10).await.unwrap(), [beat]);
    assert!(store.beats("another", 10).await.unwrap().is_empty());
}

pub(super) async fn lists_of_the_registry_go_over_pages(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    for n in 0..620 {
        let agent = Address::parse(&format!("a{n:04}")).unwrap();
        store.beat(TENANT, &agent, world.app.now(), &Metrics::default()).await.unwrap();
    }
    assert_eq!(store.beats(TENANT, 10_000).await.unwrap().len(), 620);
    assert_eq!(store.beats(TENANT, 510).await.unwrap().len(), 510);
}
