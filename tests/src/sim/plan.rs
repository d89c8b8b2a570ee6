//! What a seed stands for: who sends what and when, and how much goes wrong.

use std::time::Duration;

use fastrand::Rng;

use super::errand::{Errand, Shape};
use super::mishap::Mishap;

/// How far the clock of a function is from the world's, at most, in milliseconds.
const SKEW_MS_MAX: i64 = 2_000;
/// Instances of every function.
const INSTANCES: usize = 3;
/// Errands of one plan.
const ERRANDS: std::ops::Range<u64> = 80..140;
/// While errands are sent and things go wrong.
const STORM_SECONDS: std::ops::Range<u64> = 60..180;
/// Lives of errands, in seconds: some end under everybody's hands, some outlive lost news.
const LIVES_SECONDS: [std::ops::Range<u64>; 4] = [3..15, 20..90, 300..900, 4_000..8_000];

/// Events that clients publish in one plan.
const PUBLICATIONS: std::ops::Range<u64> = 5..15;

/// How often things go wrong, in parts of a thousand: calls first, then messages and posts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Weather {
    calls: Vec<(Mishap, u32)>,
    messages: Vec<(Mishap, u32)>,
    posts: Vec<(Mishap, u32)>,
    /// How many receivers are away for a while, in parts of a hundred.
    pub away_percent: u32,
    /// Whether a receiver says good-bye.
    pub has_good_bye: bool,
    /// How often the schedule begins to miss its sweeps, in parts of a hundred.
    pub outages_percent: u32,
    /// How many minutes it misses them then, at most.
    pub outage_minutes_max: u64,
    /// How late TTL removes what is over, at most, in seconds.
    pub ttl_late_s_max: i64,
}

/// A story in the making.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it comes from.
    pub seed: u64,
    /// What is sent, in order.
    pub errands: Vec<Errand>,
    /// When clients publish events, from the beginning.
    pub publications: Vec<Duration>,
    /// What goes wrong.
    pub weather: Weather,
    /// How long.
    pub storm: Duration,
    /// How far the clock of each instance is from the world's, in milliseconds.
    pub skews_ms: Vec<i64>,
}

impl Weather {
    /// Nothing goes wrong.
    pub fn calm() -> Self {
        Self {
            calls: vec![],
            messages: vec![],
            posts: vec![],
            away_percent: 0,
            has_good_bye: false,
            outages_percent: 0,
            outage_minutes_max: 1,
            ttl_late_s_max: 300,
        }
    }

    fn of(rng: &mut Rng) -> Self {
        // Some worlds are nearly well, and in some hardly anything succeeds at once.
        let tenths = [2, 10, 10, 25][rng.usize(0..4)];
        let mut some = |most: u32| rng.u32(0..=most) * tenths / 10;
        let calls = [
            (Mishap::Throttled, 60),
            (Mishap::Conflicted, 30),
            (Mishap::Failed, 20),
            (Mishap::FailedAfterwards, 15),
            (Mishap::Unsent, 8),
            (Mishap::Unanswered, 12),
            (Mishap::Slow, 20),
            (Mishap::KilledBefore, 8),
            (Mishap::KilledAfter, 8),
        ];
        let calls = calls.map(|(mishap, most)| (mishap, some(most))).to_vec();
        let messages = [(Mishap::Dropped, 40), (Mishap::Doubled, 80), (Mishap::Delayed, 100)];
        let messages = messages.map(|(mishap, most)| (mishap, some(most))).to_vec();
        let posts = [
            (Mishap::PostRefused, 80),
            (Mishap::PostFailed, 80),
            (Mishap::PostUnheard, 60),
            (Mishap::PostSlow, 60),
            (Mishap::KilledBefore, 15),
            (Mishap::KilledAfter, 15),
        ];
        let posts = posts.map(|(mishap, most)| (mishap, some(most))).to_vec();
        Self {
            calls,
            messages,
            posts,
            away_percent: some(60),
            has_good_bye: some(1) == 1,
            outages_percent: some(20),
            outage_minutes_max: 6,
            ttl_late_s_max: rng.i64(0..600),
        }
    }

    /// What happens to a call; `None` lets it pass.
    pub fn of_call(&self, rng: &mut Rng) -> Option<Mishap> {
        drawn(&self.calls, rng)
    }

    /// What happens to a post on its way; `None` lets it come.
    pub fn of_post(&self, rng: &mut Rng) -> Option<Mishap> {
        drawn(&self.posts, rng)
    }

    /// What happens to a message, or to a batch of stream records.
    pub fn of_message(&self, rng: &mut Rng) -> Option<Mishap> {
        drawn(&self.messages, rng)
    }
}

fn drawn(chances: &[(Mishap, u32)], rng: &mut Rng) -> Option<Mishap> {
    let mut lot = rng.u32(0..1_000);
    chances.iter().find_map(|(mishap, chance)| {
        let hit = lot < *chance;
        lot = lot.saturating_sub(*chance);
        hit.then_some(*mishap)
    })
}

impl Plan {
    /// The plan that `seed` stands for.
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let weather = Weather::of(&mut rng);
        let storm = Duration::from_secs(rng.u64(STORM_SECONDS));
        let skews_ms = (0..INSTANCES).map(|_| rng.i64(-SKEW_MS_MAX..=SKEW_MS_MAX)).collect();
        let count = rng.u64(ERRANDS);
        let mut errands: Vec<_> =
            (0..count).map(|number| errand(number, seed, storm, &mut rng)).collect();
        errands.sort_by_key(|errand| errand.after);
        let publications = 0..rng.u64(PUBLICATIONS);
        let publications = publications.map(|_| storm.mul_f64(rng.f64())).collect();
        Self { seed, errands, publications, weather, storm, skews_ms }
    }

    /// How far two clocks of this world may be apart, in milliseconds.
    pub fn skew_ms_max(&self) -> i64 {
        SKEW_MS_MAX
    }
}

fn errand(number: u64, seed: u64, storm: Duration, rng: &mut Rng) -> Errand {
    let shape = Shape::ALL[rng.usize(0..Shape::ALL.len())];
    let life = LIVES_SECONDS[rng.usize(0..LIVES_SECONDS.len())].clone();
    let storm_ms = u64::try_from(storm.as_millis()).expect("a short storm");
    Errand {
        name: format!("errand-{seed}-{number}"),
        shape,
        after: Duration::from_millis(rng.u64(0..storm_ms)),
        ttl_s: rng.u64(life),
        calls: rng.u64(1..=3),
        is_left: rng.u8(0..10) == 0,
        canceled_after: (rng.u8(0..8) == 0).then(|| Duration::from_millis(rng.u64(0..30_000))),
    }
}
