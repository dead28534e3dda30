//! The walk: breadth first over every state that can be reached, with every promise checked in each, and a way back to rest from
//! each by what happens of itself.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    fmt,
};

use crate::{actions::Action, books::Wrong, config::Config, world::World};

/// What a walk has seen.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) at_rest: usize,
}

/// How something goes wrong, on a shortest way.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) why: Wrong,
    steps: Vec<Action>,
    end: World,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, after {} steps:", self.why, self.steps.len())?;
        for step in &self.steps {
            writeln!(f, "    {step:?}")?;
        }
        for (n, attempt) in self.end.written() {
            writeln!(f, "  attempt {n}: {:?}, at the provider {:?}", attempt.row, attempt.there)?;
        }
        for (r, refund) in self.end.given() {
            writeln!(f, "  refund {r}: {:?}, at the provider {:?}", refund.row, refund.there)?;
        }
        write!(f, "  order: {:?}, told: {:?}", self.end.order, self.end.told)
    }
}

/// Where a state was reached from first.
type Came = (u32, Option<Action>);

/// Walks through everything that `config` allows.
pub(crate) fn walk(config: &Config) -> Result<Seen, Box<Trace>> {
    let first = config.first();
    let mut known: HashMap<World, u32> = HashMap::from([(first, 0)]);
    let mut came: Vec<Came> = vec![(0, None)];
    let mut queue = VecDeque::from([first]);
    // Steps that happen of themselves, and the states at rest: the ways back are looked for at the end.
    let (mut calm, mut rest) = (Vec::new(), Vec::new());
    let (mut from, mut transitions) = (0, 0);
    while let Some(world) = queue.pop_front() {
        world.check().map_err(|why| trace(config, &came, from, None, why))?;
        if world.is_at_rest() {
            rest.push(from);
        }
        for (action, is_calm) in world.next(config) {
            let next = world.after(config, action).map_err(|why| trace(config, &came, from, Some(action), why))?;
            transitions += 1;
            let found = u32::try_from(came.len()).expect("states have 32-bit numbers");
            let to = match known.entry(next) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(new) => *new.insert(found),
            };
            if to == found {
                queue.push_back(next);
                came.push((from, Some(action)));
            }
            if is_calm && to != from {
                calm.push((to, from));
            }
        }
        from += 1;
    }
    let seen = Seen { states: came.len(), transitions, at_rest: rest.len() };
    match stuck(came.len(), calm, rest) {
        None => Ok(seen),
        Some(stuck) => {
            let why = "there is no way to rest".to_owned();
            Err(trace(config, &came, stuck, None, why))
        }
    }
}

/// The first state from which no calm step leads to rest. `calm` holds each step as (to, from).
fn stuck(states: usize, mut calm: Vec<(u32, u32)>, mut rest: Vec<u32>) -> Option<u32> {
    calm.sort_unstable();
    let mut returns = vec![false; states];
    for &state in &rest {
        returns[state as usize] = true;
    }
    while let Some(to) = rest.pop() {
        let begin = calm.partition_point(|(other, _)| *other < to);
        for &(_, from) in calm[begin..].iter().take_while(|(other, _)| *other == to) {
            if !std::mem::replace(&mut returns[from as usize], true) {
                rest.push(from);
            }
        }
    }
    returns.iter().position(|returns| !returns).map(|state| u32::try_from(state).expect("states have 32-bit numbers"))
}

fn trace(config: &Config, came: &[Came], mut at: u32, last: Option<Action>, why: Wrong) -> Box<Trace> {
    let mut steps: Vec<Action> = last.into_iter().collect();
    while let (from, Some(action)) = came[at as usize] {
        steps.push(action);
        at = from;
    }
    steps.reverse();
    let go = |world: World, step: &Action| world.after(config, *step).unwrap_or(world);
    let end = steps.iter().fold(config.first(), go);
    Box::new(Trace { why, steps, end })
}
