//! Who takes part: the agents and the people of a bundle, by their roles.

use std::collections::BTreeSet;

use super::fields::Fields;
use super::findings::Findings;
use crate::address::{ADDRESS_CHARS_MAX, Address};
use crate::app::NewDelivery;
use crate::callback::{CALLBACK_URL_BYTES_MAX, Reach, SECRET_CHARS_MAX};
use crate::http::wire::route::{DISPLAY_NAME_CHARS_MAX, WireDelivery};
use crate::intent::envelope::Delivery;

/// The most agents that a bundle may name. The contract's limit.
pub(crate) const AGENTS_MAX: usize = 50;
/// The most people that a bundle may name. The contract's limit.
pub(crate) const HUMANS_MAX: usize = 20;
/// The longest role, in characters. The contract's limit for names.
pub(crate) const ROLE_CHARS_MAX: usize = 255;
/// The longest contact, in characters.
pub(crate) const CONTACT_CHARS_MAX: usize = 255;

/// Everybody who takes part.
#[derive(Debug, Default)]
pub(super) struct Cast {
    /// The agents, in the order in which they were sent.
    pub(super) agents: Vec<Agent>,
    humans: Vec<Human>,
    /// Whether the bundle names agents, with or without fault.
    pub(super) has_agents: bool,
}

/// An agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) role: String,
    /// Nothing if it was faulty, which has been said then.
    pub(super) address: Option<Address>,
    pub(super) delivery: NewDelivery,
    pub(super) display_name: Option<String>,
    pub(super) create_if_missing: bool,
}

/// A person.
#[derive(Clone, Debug)]
pub(super) struct Human {
    pub(super) role: String,
    pub(super) contact: Option<String>,
}

/// Whom a word of the bundle means.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// An agent; nothing if its address was faulty.
    Agent(Option<Address>),
    /// A person.
    Human(Human),
    /// The built-in orchestrator, which does no work of its own.
    Core,
}

impl Cast {
    /// Reads the agents and the people.
    pub(super) fn read(bundle: &Fields<'_>, reach: Reach, findings: &mut Findings) -> Self {
        let mut roles = BTreeSet::new();
        let listed = bundle.objects("agents", AGENTS_MAX, findings);
        let has_agents = !listed.is_empty();
        let agents = listed.into_iter().filter_map(|fields| {
            let (role, fields) = role("agents", fields, &mut roles, findings)?;
            Some(agent(role, &fields, reach, findings))
        });
        let agents = agents.collect();
        let humans = bundle.objects("humans", HUMANS_MAX, findings).into_iter();
        let humans = humans.filter_map(|fields| {
            let (role, fields) = role("humans", fields, &mut roles, findings)?;
            fields.text("display_name", DISPLAY_NAME_CHARS_MAX, findings);
            let contact = fields.text("contact", CONTACT_CHARS_MAX, findings);
            let human = Human { role, contact: contact.map(str::to_owned) };
            if human.contact.is_some() && human.reviewer().is_none() {
                let detail = "is neither a reviewer's name nor an e-mail address; any reviewer may \
                              decide";
                findings.warn(fields.path("contact"), detail);
            }
            Some(human)
        });
        Self { agents, humans: humans.collect(), has_agents }
    }

    /// Whom `word` means: a role of the bundle first, then an address or a person's e-mail.
    pub(super) fn who(&self, word: &str) -> Option<Who> {
        if let Some(agent) = self.agents.iter().find(|agent| agent.role == word) {
            return Some(Self::at(agent.address.clone()));
        }
        if let Some(human) = self.humans.iter().find(|human| human.role == word) {
            return Some(Who::Human(human.clone()));
        }
        let address = Address::parse(word).ok()?;
        let is_listed = || self.agents.iter().any(|agent| agent.address.as_ref() == Some(&address));
        if let Some(name) = word.strip_prefix("human://") {
            return Some(Who::Human(Human::called(name)));
        }
        if word.contains("://") || address.is_agent_core() || is_listed() {
            return Some(Self::at(Some(address)));
        }
        is_email(word).then(|| Who::Human(Human::called(word)))
    }

    fn at(address: Option<Address>) -> Who {
        if address.as_ref().is_some_and(Address::is_agent_core) {
            Who::Core
        } else {
            Who::Agent(address)
        }
    }

    /// The address behind a word that names whom to escalate to: a role or an address.
    pub(super) fn escalation(
        &self,
        fields: &Fields<'_>,
        name: &str,
        findings: &mut Findings,
    ) -> Option<Address> {
        let word = fields.text(name, ADDRESS_CHARS_MAX, findings)?;
        let text = match self.who(word) {
            Some(Who::Agent(address)) => return address,
            Some(Who::Human(human)) => human.reviewer().unwrap_or(&human.role).to_owned(),
            Some(Who::Core) | None => word.to_owned(),
        };
        fields.address(name, &text, findings)
    }
}

impl Human {
    fn called(name: &str) -> Self {
        Self { role: name.to_owned(), contact: Some(name.to_owned()) }
    }

    /// The reviewer whom the contact names, if it looks like the name of one or like an e-mail
    /// address. A phone number, a channel or a link names nobody who could hold a key or a link.
    pub(super) fn reviewer(&self) -> Option<&str> {
        let plain = |c: char| c.is_alphanumeric() || "._-@+' ".contains(c);
        let contact = self.contact.as_deref()?;
        let names = contact.chars().all(plain) && contact.chars().any(char::is_alphabetic);
        names.then_some(contact)
    }

    /// The contact, if it is an e-mail address.
    pub(super) fn email(&self) -> Option<&str> {
        self.contact.as_deref().filter(|contact| is_email(contact))
    }
}

fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        && !text.contains(char::is_whitespace)
}

/// The role of an agent or a person, under which its other fields are named from here on.
fn role<'a>(
    list: &str,
    fields: Fields<'a>,
    roles: &mut BTreeSet<String>,
    findings: &mut Findings,
) -> Option<(String, Fields<'a>)> {
    let role = fields.required_text("role", ROLE_CHARS_MAX, findings)?.to_owned();
    let fields = fields.named(format!("{list}.{role}"));
    if !roles.insert(role.clone()) {
        findings.fault(fields.path("role"), "stands twice; give each its own");
    }
    Some((role, fields))
}

fn agent(role: String, fields: &Fields<'_>, reach: Reach, findings: &mut Findings) -> Agent {
    let address = fields.required_text("address", ADDRESS_CHARS_MAX, findings);
    let display_name = fields.text("display_name", DISPLAY_NAME_CHARS_MAX, findings);
    Agent {
        address: address.and_then(|text| fields.address("address", text, findings)),
        delivery: delivery(fields, reach, findings),
        display_name: display_name.map(str::to_owned),
        create_if_missing: fields.flag("create_if_missing", findings),
        role,
    }
}

fn delivery(fields: &Fields<'_>, reach: Reach, findings: &mut Findings) -> NewDelivery {
    let sent = WireDelivery {
        delivery_mode: fields.text("delivery_mode", ROLE_CHARS_MAX, findings),
        callback_url: fields.text("callback_url", CALLBACK_URL_BYTES_MAX, findings),
        secret: fields.text("secret", SECRET_CHARS_MAX, findings),
    };
    let delivery = findings.take(fields.at(), sent.read(reach)).unwrap_or_default();
    if delivery.mode == Some(Delivery::Push) {
        if sent.callback_url.is_none() {
            let detail = "is missing; the agent must be registered with one already";
            findings.warn(fields.path("callback_url"), detail);
        }
        return delivery;
    }
    for (name, is_there) in
        [("callback_url", delivery.callback_url.is_some()), ("secret", delivery.secret.is_some())]
    {
        if is_there {
            findings
                .fault(fields.path(name), "belongs to delivery_mode http; send both, or neither");
        }
    }
    delivery
}
