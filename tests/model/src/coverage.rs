//! What of the core is modelled: every command, event and message by its name, and why if it is not.
//!
//! The matches are exhaustive, so whatever is new in the core stands here before anything is built.

use shared::intent::{Command, EventKind};
use shared::message::Message;

/// A command, an event or a message, by the name that it has in the core.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Name {
    /// A command.
    Command(&'static str),
    /// An event.
    Event(&'static str),
    /// A message.
    Message(&'static str),
}

/// Whether the shapes come across it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Modelled {
    /// They do.
    Yes,
    /// They do not, for this reason.
    No(&'static str),
}

use Modelled::{No, Yes};

macro_rules! table {
    ($table:ident, $of:ident: $kind:ident as $name:ident { $($variant:ident => $modelled:expr),+ $(,)? }) => {
        /// Each of them, and whether the shapes come across it.
        pub const $table: &[(Name, Modelled)] =
            &[$((Name::$name(stringify!($variant)), $modelled)),+];

        /// Its name.
        pub fn $of(it: &$kind) -> Name {
            match it {
                $($kind::$variant { .. } => Name::$name(stringify!($variant)),)+
            }
        }
    };
}

table!(COMMANDS, of_command: Command as Command {
    Create => Yes,
    Start => Yes,
    Step => Yes,
    Suspend => Yes,
    Claim => Yes,
    FinishCall => Yes,
    Complete => Yes,
    Fail => Yes,
    Advance => Yes,
    Acknowledge => Yes,
    Decide => Yes,
    Reassign => Yes,
    Say => Yes,
    Hide => Yes,
    ChangePolicy => Yes,
    Cancel => Yes,
    EndAsk => Yes,
    EndStep => Yes,
    GiveUp => Yes,
    ParentEnded => Yes,
    Wake => Yes,
});

table!(EVENTS, of_event: EventKind as Event {
    Created => Yes,
    Submitted => Yes,
    Offered => Yes,
    Acknowledged => Yes,
    Started => Yes,
    Stepped => Yes,
    Held => Yes,
    TaskAssigned => Yes,
    Reminded => Yes,
    Escalated => Yes,
    Approved => Yes,
    Refused => Yes,
    Reassigned => Yes,
    StepBegun => Yes,
    StepEnded => Yes,
    Notified => Yes,
    Checked => Yes,
    Said => Yes,
    Hidden => Yes,
    PolicyChanged => Yes,
    Suspended => Yes,
    AskEnded => Yes,
    Resumed => Yes,
    HandedOn => Yes,
    CallClaimed => Yes,
    CallFinished => Yes,
    DeliveryFailed => Yes,
    Completed => Yes,
    Failed => Yes,
    Canceled => Yes,
    TimedOut => Yes,
});

table!(MESSAGES, of_message: Message as Message {
    Turn => Yes,
    Push => Yes,
    Wake => No("a wake-up comes at any moment, whether or not a message of it is under way"),
    Recover => No("what it does is done for all at once, from every state: see `drain`"),
    RecoverAll => No("what it does is done for all at once, from every state: see `drain`"),
    AskEnded => Yes,
    ParentEnded => Yes,
    Notice => No("people are shown what they are told of anyway, and nothing comes back"),
    Delivery => No("what clients publish is no part of the core"),
    News => No("subscribers are told, and nothing comes back"),
});
