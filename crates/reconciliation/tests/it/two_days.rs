//! Two neighbouring days, whose midnight every leg draws where it likes: what one day's run tells of its boundary explains the other's.

use jiff::civil::Date;
use money::Fen;
use reconciliation::books::MovedElsewhere;
use reconciliation::{BoundaryMatch, Code, Leg, Outcome};

use crate::world::{DAY, DAY_AFTER, LATER, World, noon};

const DAYS: [Date; 2] = [DAY, DAY_AFTER];

/// On which of the two days each leg has a trade.
#[derive(Clone, Copy, Debug)]
struct Days {
    book: usize,
    billed: usize,
    moved: usize,
    /// Whether both bills have it.
    is_billed_twice: bool,
}

impl Days {
    fn all() -> impl Iterator<Item = Days> {
        (0..8).map(|bits| Days { book: bits & 1, billed: bits >> 1 & 1, moved: bits >> 2 & 1, is_billed_twice: false })
    }
}

impl Days {
    fn is_billed_on(self, day: usize) -> bool {
        self.is_billed_twice || self.billed == day
    }
}

/// Both days, with what their current runs told.
struct Calendar {
    trades: Vec<Days>,
    current: [Option<Outcome>; 2],
}

impl Calendar {
    /// The other day whose current run has `number` on this leg, and what it has of it.
    fn elsewhere(&self, day: usize, leg: Leg, number: &str) -> Option<(Date, &BoundaryMatch)> {
        let other = self.current[1 - day].as_ref()?;
        let has = |it: &&BoundaryMatch| it.leg == leg && it.number == number;
        other.boundary.iter().find(has).map(|found| (DAYS[1 - day], found))
    }

    fn billed(&self, day: usize, number: &str) -> (Option<Date>, Option<Fen>) {
        let found = self.elsewhere(day, Leg::Trade, number);
        (found.map(|(on, _)| on), found.and_then(|(_, found)| found.amount))
    }

    fn moved(&self, day: usize, number: &str) -> (Option<Date>, Option<MovedElsewhere>) {
        let found = self.elsewhere(day, Leg::Fund, number);
        let moved = |found: &BoundaryMatch| Some(MovedElsewhere { principal: found.amount?, fee: found.fee });
        (found.map(|(on, _)| on), found.and_then(|(_, found)| moved(found)))
    }

    /// One day as our books and the provider have it: each trade is a payment of 1000 fen of which 400 go back, and all of it is
    /// where its days say.
    fn world(&self, day: usize, as_of: Date) -> World {
        let mut world = World::default();
        (world.day, world.as_of) = (DAYS[day], as_of);
        // Something always moves, so that the file is there.
        world.withdraw(1);
        for (at, days) in self.trades.iter().enumerate() {
            world.pay(1000);
            world.refund(at, 400);
            let payment = &mut world.payments[at];
            let number = payment.row().transaction_id.clone();
            let book = payment.book_mut();
            book.paid_date = DAYS[days.book];
            (book.billed_on, book.billed) = self.billed(day, &number);
            (book.moved_on, book.moved) = self.moved(day, &number);
            payment.row_mut().trade_time = noon(DAYS[day]);
            payment.billed = payment.billed.take().filter(|_| days.is_billed_on(day));
            payment.flows.retain(|_| days.moved == day);
            let refund = &mut world.refunds[at];
            let number = refund.bill_mut().refund_id.clone();
            let book = refund.book_mut();
            book.accept_date = Some(DAYS[days.book]);
            book.billed_on = self.billed(day, &number).0;
            (book.moved_on, book.moved) = self.moved(day, &number);
            refund.billed = refund.billed.take().filter(|_| days.is_billed_on(day));
            refund.flows.retain(|_| days.moved == day);
        }
        world
    }

    fn run(&mut self, day: usize, as_of: Date) {
        self.current[day] = Some(self.world(day, as_of).outcome());
    }
}

/// As the schedule does: the first day alone, then both, the newest first.
fn run_all(trades: Vec<Days>, as_of: Date) -> Calendar {
    let mut calendar = Calendar { trades, current: [None, None] };
    calendar.run(0, DAY_AFTER);
    let first = calendar.current[0].as_ref().expect("it ran");
    assert!(first.differences.iter().all(|found| found.due.is_some()), "nothing but waiting: {first:#?}");
    calendar.run(1, as_of);
    calendar.run(0, as_of);
    calendar
}

#[test]
fn wherever_midnight_is_drawn_nothing_is_left_open_and_everything_counts_once() {
    for days in Days::all() {
        let calendar = run_all(vec![days], LATER);
        let [first, second] = calendar.current.map(|outcome| outcome.expect("it ran"));
        assert_eq!((&first.differences, &second.differences), (&vec![], &vec![]), "{days:?}");
        let both = [&first, &second].map(|it| (it.books.count, it.matched.count, it.matched_refunds.count));
        let mut expected = [(0, 0, 0); 2];
        expected[days.billed] = (1, 1, 1);
        assert_eq!(both, expected, "{days:?}: the day whose bill has it");
    }
}

#[test]
fn running_a_day_again_changes_nothing_once_both_have_run() {
    let mut calendar = run_all(Days::all().collect(), LATER);
    let before = calendar.current.clone();
    for day in [1, 0, 0, 1] {
        calendar.run(day, LATER);
        assert_eq!(calendar.current[day], before[day]);
    }
}

#[test]
fn what_stands_in_both_bills_is_matched_once_and_told_once_whichever_day_is_compared_first() {
    let twice = Days::all().map(|days| Days { is_billed_twice: true, ..days });
    for (days, order) in twice.flat_map(|days| [[0, 1], [1, 0]].map(|order| (days, order))) {
        let mut calendar = Calendar { trades: vec![days], current: [None, None] };
        for day in order.into_iter().chain(order) {
            calendar.run(day, LATER);
        }
        let before = calendar.current.clone();
        for day in order {
            calendar.run(day, LATER);
        }
        assert_eq!(calendar.current, before, "{days:?}: nothing changes any more");
        let both: Vec<_> = calendar.current.iter().flatten().collect();
        let count = |of: fn(&Outcome) -> i64| both.iter().map(|outcome| of(outcome)).sum::<i64>();
        assert_eq!(count(|it| it.bill.count), 2);
        assert_eq!([count(|it| it.books.count), count(|it| it.matched.count)], [1, 1], "{days:?} {order:?}");
        assert_eq!([count(|it| it.book_refunds.count), count(|it| it.matched_refunds.count)], [1, 1]);
        let mut told: Vec<_> = both.iter().flat_map(|it| &it.differences).map(|it| (it.code, it.risk.get())).collect();
        told.sort_unstable();
        assert_eq!(told, [(Code::P6, 1000), (Code::R3, 400)], "{days:?} {order:?}");
    }
}
