//! The mesh: heartbeats, health, the kill switch, and what happened.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::App;
use super::access::forget;
use crate::address::Address;
use crate::error::Error;
use crate::mesh::{Beat, Health, MeshEvent, MeshEventKind, Metrics};
use crate::principal::{Principal, Role};
use crate::registration::Standing;
use crate::route::Route;

/// The most heartbeats that a list looks at.
const BEATS_READ_MAX: usize = 5000;
/// The most events that are shown with one agent.
const EVENTS_OF_AGENT_MAX: usize = 20;

/// An agent as the mesh sees it.
#[derive(Clone, Debug)]
pub struct MeshAgent {
    /// Its route; one that nobody registered leads straight to it.
    pub route: Route,
    /// Its newest heartbeat, if it was ever heard.
    pub beat: Option<Beat>,
    /// Whether it is alive.
    pub health: Health,
}

impl App {
    /// Hears an agent. A stopped one is heard too, and learns that it is stopped.
    pub async fn hear(&self, by: &Principal, reported: &Metrics) -> Result<MeshAgent, Error> {
        self.require(by, &[Role::Agent])?;
        let own = Self::own_address(by).ok_or_else(|| {
            let detail = "this key has no address and its name is none; use a key that was made for \
                          an agent's address";
            Error::Forbidden(detail.to_owned())
        })?;
        let route = self.agent_behind(&own).await?;
        let (agent, now) = (route.address.clone(), self.now());
        let before = self.store().beat(self.tenant(), &agent, now, reported).await?;
        let was = Health::of(before, now);
        if before.is_some() && was != Health::Healthy {
            let event = self.mesh_event(MeshEventKind::Recovered { was }, agent.clone(), by);
            self.store().put_mesh_event(self.tenant(), &event).await?;
        }
        let beat = Beat { agent, heard_at: now, metrics: *reported };
        Ok(mesh_agent(route, Some(beat), now))
    }

    /// Every agent that is registered or was ever heard, by address.
    pub async fn mesh_agents(&self) -> Result<Vec<MeshAgent>, Error> {
        let routes = self.store().routes(self.tenant()).await?;
        let beats = self.store().beats(self.tenant(), BEATS_READ_MAX).await?;
        let mut agents: BTreeMap<Address, (Route, Option<Beat>)> = routes
            .into_iter()
            .filter(Route::is_agent)
            .map(|route| (route.address.clone(), (route, None)))
            .collect();
        for beat in beats {
            let unregistered = (Route::direct(beat.agent.clone()), None);
            let (_, newest) = agents.entry(beat.agent.clone()).or_insert(unregistered);
            *newest = Some(beat);
        }
        let now = self.now();
        Ok(agents.into_values().map(|(route, beat)| mesh_agent(route, beat, now)).collect())
    }

    /// The agent behind an address, with what happened to it lately.
    pub async fn mesh_agent(
        &self,
        address: &Address,
    ) -> Result<(MeshAgent, Vec<MeshEvent>), Error> {
        let (agent, registered) = self.current_agent(address).await?;
        let beat = self.store().last_beat(self.tenant(), &agent.address).await?;
        if !registered && beat.is_none() {
            return Err(Error::NotFound("agent"));
        }
        let own = |event: &MeshEvent| event.agent == agent.address;
        let events = self.store().mesh_events(self.tenant(), EVENTS_OF_AGENT_MAX, own).await?;
        Ok((mesh_agent(agent, beat, self.now()), events))
    }

    /// The agent behind an address, as it is registered now.
    pub async fn registered_agent(&self, address: &Address) -> Result<Route, Error> {
        let (agent, registered) = self.current_agent(address).await?;
        if registered { Ok(agent) } else { Err(Error::NotFound("agent")) }
    }

    /// Stops an agent: from now on, and everywhere within seconds, it neither sends nor receives.
    pub async fn kill(&self, by: &Principal, address: &Address) -> Result<MeshAgent, Error> {
        self.require(by, &[Role::Admin])?;
        let agent = self.current_agent(address).await?.0.address;
        if agent.is_agent_core() {
            let detail = format!("{agent} is Holdpoint itself, which asks people; name an agent");
            return Err(Error::field("address", detail));
        }
        let event = self.mesh_event(MeshEventKind::Killed, agent.clone(), by);
        self.store().kill(self.tenant(), &event).await?;
        forget(&self.inner.routes, agent.path());
        Ok(self.mesh_agent(&agent).await?.0)
    }

    /// Lets a killed agent go on.
    pub async fn revive(&self, by: &Principal, address: &Address) -> Result<MeshAgent, Error> {
        self.require(by, &[Role::Admin])?;
        let agent = self.registered_agent(address).await?.address;
        let event = self.mesh_event(MeshEventKind::Resumed, agent.clone(), by);
        self.store().resume(self.tenant(), &event).await?;
        forget(&self.inner.routes, agent.path());
        Ok(self.mesh_agent(&agent).await?.0)
    }

    /// What happened to agents, newest first.
    pub async fn mesh_events(
        &self,
        kind: Option<&str>,
        limit: usize,
    ) -> Result<Vec<MeshEvent>, Error> {
        let wanted = |event: &MeshEvent| kind.is_none_or(|kind| event.kind.name() == kind);
        Ok(self.store().mesh_events(self.tenant(), limit, wanted).await?)
    }

    /// An event that happens now.
    pub(super) fn mesh_event(
        &self,
        kind: MeshEventKind,
        agent: Address,
        by: &Principal,
    ) -> MeshEvent {
        let id = data_encoding::HEXLOWER.encode(&self.random::<8>());
        MeshEvent { id, kind, agent, actor: by.name.clone(), at: self.now() }
    }

    /// The agent behind an address as the table has it, and whether it is registered there.
    async fn current_agent(&self, address: &Address) -> Result<(Route, bool), Error> {
        let found = self.store().route(self.tenant(), address).await?;
        let agent = match found {
            Some(alias) if !alias.is_agent() => {
                let agent = self.store().route(self.tenant(), &alias.to).await?;
                // An alias knows its agent even where that was never registered by itself.
                Some(agent.unwrap_or_else(|| Route::direct(alias.to)))
            }
            other => other,
        };
        let registered = agent.is_some();
        Ok((agent.unwrap_or_else(|| Route::direct(address.clone())), registered))
    }
}

fn mesh_agent(route: Route, beat: Option<Beat>, now: Timestamp) -> MeshAgent {
    let health = match route.registration.standing() {
        Standing::Killed => Health::Killed,
        Standing::Active | Standing::Suspended | Standing::Deleted => {
            Health::of(beat.as_ref().map(|beat| beat.heard_at), now)
        }
    };
    MeshAgent { route, beat, health }
}
