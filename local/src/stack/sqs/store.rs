//! The embedded SQS's state, held here so that pollers know when the next message is due and
//! memory stays bounded over weeks.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use winterbaume_core::StateViewError;
use winterbaume_sqs::state::{QueueState, SqsError, SqsState};
use winterbaume_sqs::types::{Message, MessageAttribute, MessageMoveTask, Queue};
use winterbaume_sqs::{SendMessageOutput, SqsBackend, SqsStateView};

use crate::template::scope::{ACCOUNT, REGION};

/// Handles of deleted messages that a queue remembers, so that deleting twice succeeds twice.
const DELETED_HANDLES_MAX: usize = 10_000;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Names = HashMap<String, String>;

/// Every queue with its messages. One account and one region are all there is.
#[derive(Debug, Default)]
pub(super) struct Store {
    state: Mutex<SqsState>,
}

impl Store {
    /// When the first message of a queue becomes visible, in milliseconds since 1970; `None`
    /// without messages.
    pub(super) fn next_visible_ms(&self, queue: &str) -> Option<i64> {
        let state = self.state();
        let messages = &state.queues.get(queue)?.messages;
        messages.iter().map(|message| message.visible_at).min()
    }

    /// When a message becomes visible, in milliseconds since 1970, as long as it is this receipt's.
    pub(super) fn visible_ms(&self, queue: &str, handle: &str) -> Option<i64> {
        let state = self.state();
        let mut messages = state.queues.get(queue)?.messages.iter();
        let own = messages.find(|message| message.receipt_handle.as_deref() == Some(handle))?;
        Some(own.visible_at)
    }

    fn state(&self) -> MutexGuard<'_, SqsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what a move task asks for, at once and whatever rate it names: the embedded service only
/// notes the task. Without a destination messages go back to the queue whose dead letters they
/// are; if that cannot be told the task fails, and nothing moves.
fn move_messages(state: &mut SqsState, task: &str) {
    let Some(task) = state.message_move_tasks.iter_mut().find(|known| known.task_handle == task)
    else {
        return;
    };
    let mut origins = state
        .queues
        .iter()
        .filter(|(_, queue)| queue.dead_letter_target_arn.as_ref() == Some(&task.source_arn));
    let destination = match (&task.destination_arn, origins.next(), origins.next()) {
        (Some(arn), _, _) => state.queues.iter().find(|(_, queue)| queue.queue.arn == *arn),
        (None, origin, None) => origin,
        (None, _, Some(_)) => None,
    };
    let Some(destination) = destination.map(|(name, _)| name.clone()) else {
        "FAILED".clone_into(&mut task.status);
        return;
    };
    let source = state.queues.values_mut().find(|queue| queue.queue.arn == task.source_arn);
    let mut moved: Vec<_> = source
        .map(|source| source.messages.extract_if(.., |message| message.is_visible()).collect())
        .unwrap_or_default();
    for message in &mut moved {
        message.receipt_handle = None;
        message.all_receipt_handles.clear();
        message.approximate_receive_count = 0;
        message.approximate_first_receive_timestamp = None;
    }
    "COMPLETED".clone_into(&mut task.status);
    task.approximate_number_of_messages_moved = i64::try_from(moved.len()).unwrap_or(i64::MAX);
    if let Some(destination) = state.queues.get_mut(&destination) {
        destination.messages.append(&mut moved);
    }
}

/// Answers at once: no operation waits for anything but the lock.
fn at_once<T: Send + 'static>(answer: T) -> Answer<T> {
    Box::pin(ready(answer))
}

/// The embedded service speaks the protocol and asks this for everything else.
impl SqsBackend for Store {
    fn create_queue(
        &self,
        account: String,
        region: String,
        name: String,
        attributes: Names,
        tags: Option<Names>,
    ) -> Answer<Result<Queue, SqsError>> {
        let mut state = self.state();
        let made = state.create_queue(&name, &region, &account, &attributes, tags.as_ref());
        at_once(made.cloned())
    }

    fn delete_queue(&self, _: String, _: String, queue: String) -> Answer<Result<(), SqsError>> {
        at_once(self.state().delete_queue(&queue))
    }

    fn get_queue_url(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<Result<String, SqsError>> {
        at_once(self.state().get_queue_url(&queue).map(str::to_owned))
    }

    fn get_queue_attributes(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<Result<Names, SqsError>> {
        at_once(self.state().get_queue_attributes(&queue))
    }

    fn set_queue_attributes(
        &self,
        _: String,
        _: String,
        queue: String,
        attributes: Names,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().set_queue_attributes(&queue, &attributes))
    }

    fn list_queues(
        &self,
        _: String,
        _: String,
        prefix: Option<String>,
    ) -> Answer<Result<Vec<Queue>, SqsError>> {
        let state = self.state();
        at_once(Ok(state.list_queues(prefix.as_deref()).into_iter().cloned().collect()))
    }

    fn send_message(
        &self,
        _: String,
        _: String,
        queue: String,
        body: String,
        delay_s: Option<u32>,
        attributes: HashMap<String, MessageAttribute>,
        group: Option<String>,
        deduplication: Option<String>,
    ) -> Answer<Result<SendMessageOutput, SqsError>> {
        let mut state = self.state();
        let (group, deduplication) = (group.as_deref(), deduplication.as_deref());
        let sent = state.send_message(&queue, &body, delay_s, attributes, group, deduplication);
        at_once(
            sent.map(|sent| SendMessageOutput {
                message_id: sent.message_id,
                body_md5: sent.body_md5,
            }),
        )
    }

    fn receive_messages(
        &self,
        _: String,
        _: String,
        queue: String,
        count_max: usize,
        invisible_s: Option<u32>,
    ) -> Answer<Result<Vec<Message>, SqsError>> {
        at_once(self.state().receive_message(&queue, count_max, invisible_s))
    }

    fn delete_message(
        &self,
        _: String,
        _: String,
        queue: String,
        handle: String,
    ) -> Answer<Result<(), SqsError>> {
        let mut state = self.state();
        let deleted = state.delete_message(&queue, &handle);
        if let Some(queue) = state.queues.get_mut(&queue)
            && queue.deleted_handles.len() > DELETED_HANDLES_MAX
        {
            queue.deleted_handles.clear();
        }
        at_once(deleted)
    }

    fn purge_queue(&self, _: String, _: String, queue: String) -> Answer<Result<(), SqsError>> {
        at_once(self.state().purge_queue(&queue))
    }

    fn change_message_visibility(
        &self,
        _: String,
        _: String,
        queue: String,
        handle: String,
        invisible_s: u32,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().change_message_visibility(&queue, &handle, invisible_s))
    }

    fn change_message_visibility_batch(
        &self,
        _: String,
        _: String,
        queue: String,
        entries: Vec<(String, String, u32)>,
    ) -> Answer<Result<Vec<String>, SqsError>> {
        at_once(self.state().change_message_visibility_batch(&queue, &entries))
    }

    fn list_queue_tags(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<Result<Names, SqsError>> {
        at_once(self.state().list_queue_tags(&queue))
    }

    fn tag_queue(
        &self,
        _: String,
        _: String,
        queue: String,
        tags: Names,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().tag_queue(&queue, &tags))
    }

    fn untag_queue(
        &self,
        _: String,
        _: String,
        queue: String,
        keys: Vec<String>,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().untag_queue(&queue, &keys))
    }

    fn add_permission(
        &self,
        _: String,
        _: String,
        queue: String,
        label: String,
        accounts: Vec<String>,
        actions: Vec<String>,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().add_permission(&queue, &label, accounts, actions))
    }

    fn remove_permission(
        &self,
        _: String,
        _: String,
        queue: String,
        label: String,
    ) -> Answer<Result<(), SqsError>> {
        at_once(self.state().remove_permission(&queue, &label))
    }

    fn list_dead_letter_source_queues(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<Result<Vec<String>, SqsError>> {
        at_once(self.state().list_dead_letter_source_queues(&queue))
    }

    fn start_message_move_task(
        &self,
        _: String,
        _: String,
        source_arn: String,
        destination_arn: Option<String>,
        per_second_max: Option<i32>,
    ) -> Answer<Result<String, SqsError>> {
        let mut state = self.state();
        let destination = destination_arn.as_deref();
        let started = state.start_message_move_task(&source_arn, destination, per_second_max);
        if let Ok(task) = &started {
            move_messages(&mut state, task);
        }
        at_once(started)
    }

    fn cancel_message_move_task(
        &self,
        _: String,
        _: String,
        task: String,
    ) -> Answer<Result<i64, SqsError>> {
        at_once(self.state().cancel_message_move_task(&task))
    }

    fn list_message_move_tasks(
        &self,
        _: String,
        _: String,
        source_arn: String,
    ) -> Answer<Result<Vec<MessageMoveTask>, SqsError>> {
        let state = self.state();
        at_once(Ok(state.list_message_move_tasks(&source_arn).into_iter().cloned().collect()))
    }

    fn scopes_with_state(&self) -> Vec<(String, String)> {
        vec![(ACCOUNT.to_owned(), REGION.to_owned())]
    }

    fn snapshot(&self, _: String, _: String) -> Answer<SqsStateView> {
        at_once(SqsStateView::from(&*self.state()))
    }

    fn restore(
        &self,
        _: String,
        _: String,
        view: SqsStateView,
    ) -> Answer<Result<(), StateViewError>> {
        *self.state() = SqsState::from(view);
        at_once(Ok(()))
    }

    fn merge(
        &self,
        _: String,
        _: String,
        view: SqsStateView,
    ) -> Answer<Result<(), StateViewError>> {
        let mut state = self.state();
        let queues = view.queues.into_iter();
        state.queues.extend(queues.map(|(name, queue)| (name, QueueState::from(queue))));
        let tasks = view.message_move_tasks.into_iter();
        state.message_move_tasks.extend(tasks.map(MessageMoveTask::from));
        at_once(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn dead_letters_go_back_to_the_queue_that_they_came_from() {
        let store = Store::default();
        let at = |queue: &str| (ACCOUNT.to_owned(), REGION.to_owned(), queue.to_owned());
        let arn = crate::template::queue::Queue::arn("Dead");
        let redrive = format!("{{\"deadLetterTargetArn\":\"{arn}\",\"maxReceiveCount\":1}}");
        let redrive = Names::from([("RedrivePolicy".to_owned(), redrive)]);
        for (queue, attributes) in [("Work", redrive), ("Dead", Names::new())] {
            let (account, region, queue) = at(queue);
            store.create_queue(account, region, queue, attributes, None).await.unwrap();
        }
        let (account, region, queue) = at("Dead");
        let body = "body".to_owned();
        let sent = store.send_message(account, region, queue, body, None, [].into(), None, None);
        sent.await.unwrap();
        let (account, region, _) = at("Dead");
        store.start_message_move_task(account, region, arn.clone(), None, None).await.unwrap();
        let (account, region, queue) = at("Work");
        let back = store.receive_messages(account, region, queue, 10, None).await.unwrap();
        assert_eq!((back.len(), back[0].body.as_str()), (1, "body"));
        let (account, region, _) = at("Dead");
        let tasks = store.list_message_move_tasks(account, region, arn).await.unwrap();
        assert_eq!(tasks[0].status, "COMPLETED");
        assert_eq!(tasks[0].approximate_number_of_messages_moved, 1);
    }

    #[tokio::test]
    async fn what_is_visible_comes_in_order_of_age_whatever_failed_before() {
        let store = Store::default();
        let own = || (ACCOUNT.to_owned(), REGION.to_owned(), "Queue".to_owned());
        let (account, region, queue) = own();
        store.create_queue(account, region, queue, Names::new(), None).await.unwrap();
        for body in ["first", "second", "third", "fourth"] {
            let (account, region, queue) = own();
            let body = body.to_owned();
            let sent =
                store.send_message(account, region, queue, body, None, [].into(), None, None);
            sent.await.unwrap();
        }
        let receive = async |count| {
            let (account, region, queue) = own();
            store.receive_messages(account, region, queue, count, None).await.unwrap()
        };
        let postpone = async |message: &Message, seconds| {
            let (account, region, queue) = own();
            let handle = message.receipt_handle.clone().unwrap();
            let entry = ("0".to_owned(), handle, seconds);
            let done = store.change_message_visibility_batch(account, region, queue, vec![entry]);
            done.await.unwrap();
        };
        let bodies = |got: &[Message]| got.iter().map(|one| one.body.clone()).collect::<Vec<_>>();
        let got = receive(3).await;
        assert_eq!(bodies(&got), ["first", "second", "third"]);
        postpone(&got[0], 0).await;
        postpone(&got[1], 60).await;
        let handle = got[1].receipt_handle.as_deref().unwrap();
        let visible_ms = store.visible_ms("Queue", handle).unwrap();
        assert_ne!(visible_ms, got[1].visible_at, "it is seen that its consumer said when");
        postpone(&got[2], 0).await;
        assert_eq!(bodies(&receive(10).await), ["first", "third", "fourth"]);
        assert_eq!(store.visible_ms("Queue", got[0].receipt_handle.as_deref().unwrap()), None);
    }

    #[tokio::test]
    async fn memory_does_not_grow_with_the_messages_that_went_through() {
        let store = Store::default();
        let own = || (ACCOUNT.to_owned(), REGION.to_owned(), "Queue".to_owned());
        let (account, region, queue) = own();
        store.create_queue(account, region, queue, Names::new(), None).await.unwrap();
        for _ in 0..=DELETED_HANDLES_MAX {
            let (account, region, queue) = own();
            let body = "body".to_owned();
            let sent =
                store.send_message(account, region, queue, body, None, [].into(), None, None);
            sent.await.unwrap();
            let (account, region, queue) = own();
            let mut got = store.receive_messages(account, region, queue, 1, None).await.unwrap();
            let handle = got.remove(0).receipt_handle.unwrap();
            let (account, region, queue) = own();
            store.delete_message(account, region, queue, handle).await.unwrap();
        }
        let state = store.state();
        assert!(state.queues["Queue"].deleted_handles.len() <= DELETED_HANDLES_MAX);
        assert!(state.queues["Queue"].messages.is_empty());
    }
}
