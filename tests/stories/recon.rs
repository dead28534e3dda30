//! `payctl recon`, as finance runs it against a live system: what it prints, and with what code it ends.

mod finance;

use e2e::{
    Options, World,
    deciding::{ONE, OTHER},
    sandbox_client::{Fault, FaultPoint, once},
    selling::{MERCHANT, OTHER_MERCHANT},
    story,
};
use jiff::ToSpan as _;
use serde_json::Value;

use crate::reconcile::{next_morning, noon, sell};
use finance::{Finance, contains};

/// A world whose only difference of a day is a row that nobody ordered, and the first two versions of that day.
async fn with_p3(world: &World) -> (String, String) {
    let day = noon(world).await;
    sell(world, MERCHANT, &[100, 250]).await;
    next_morning(world).await;
    world.reconcile_day(MERCHANT, day).await;
    world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::ExtraRow)).await;
    (day.to_string(), format!("{MERCHANT}/{day}"))
}

#[test]
fn a_day_is_run_listed_and_shown_and_the_exit_code_says_whether_it_agrees() {
    story(Options::default().with_reconcile(), async |world| {
        let day = noon(world).await;
        sell(world, MERCHANT, &[100, 250]).await;
        sell(world, OTHER_MERCHANT, &[777]).await;
        next_morning(world).await;
        world.books_are_written().await;
        let (finance, date) = (Finance::of(world), day.to_string());

        let clean = finance.ends(0, &["run", &date, "--merchant", MERCHANT]);
        let headline = format!("{MERCHANT}/{day}/v1 BALANCED: 2 payments and 0 refunds agree to the fen\n");
        assert!(clean.starts_with(&headline), "{clean}");
        contains(&clean, &["matched payments", "3.50", "result sha256", "交易"]);
        // The same again is the same version, and every merchant is one more.
        let all = finance.ends(0, &["run", &date, "--all", "--gateway-url", &world.addresses().gateway.url()]);
        contains(&all, &[&headline, &format!("{OTHER_MERCHANT}/{day}/v1 BALANCED: 1 payment and ")]);

        world.sandbox.fault(once(FaultPoint::DownloadBill, Fault::ExtraRow)).await;
        let differs = finance.ends(1, &["run", &date, "--merchant", MERCHANT]);
        assert!(differs.starts_with(&format!("{MERCHANT}/{day}/v2 DIFFERENCES: 1 difference, 1.00 yuan at risk\n")));
        contains(&differs, &["P3", "never issued"]);

        let listed = finance.json(0, &["list", "--merchant", MERCHANT, "--date", &date]);
        let versions: Vec<&Value> =
            listed["runs"].as_array().expect("runs").iter().map(|run| &run["version"]).collect();
        assert_eq!(versions, [2, 1], "{listed:#}");
        contains(&finance.ends(0, &["list", "--current"]), &["acme-mini", "acme-shop", "DIFFERENCES", "BALANCED"]);
        let shown = finance.ends(0, &["show", &format!("{MERCHANT}/{day}/v1")]);
        assert!(shown.starts_with(&format!("{MERCHANT}/{day}/v1 BALANCED")), "{shown}");
        contains(&shown, &["not the version that counts"]);
        let nobody = finance.fails(1, &["show", &format!("{MERCHANT}/{day}/v9")]);
        contains(&nobody, &["there is no such run", "payctl recon list"]);
    });
}

#[test]
fn days_without_a_bill_and_strangers_are_refused_in_words() {
    story(Options::default().with_reconcile(), async |world| {
        let (today, finance) = (noon(world).await, Finance::of(world));
        for (day, why) in [
            (today, "must be before today in Asia/Shanghai"),
            (today.saturating_add(40.days()), "must be before today in Asia/Shanghai"),
            (today.saturating_sub(94.days()), "must be within the last three months: older bills are gone"),
        ] {
            let told = finance.fails(2, &["run", &day.to_string(), "--merchant", MERCHANT]);
            contains(&told, &[&format!("{MERCHANT} {day}: "), "bill_date", why]);
        }
        let yesterday = today.saturating_sub(1.days()).to_string();
        contains(&finance.fails(2, &["run", &yesterday, "--merchant", "nobody"]), &["nobody", "merchants check"]);
        // One day that is refused makes the whole answer no answer, and the others are done.
        let several = finance.json(2, &["run", &yesterday, "--merchant", MERCHANT, "--to", &today.to_string()]);
        let days = several["days"].as_array().expect("days");
        assert_eq!(
            (&days[0]["error"]["reason"], &days[1]["state"]),
            (&"INVALID_ARGUMENT".into(), &"STATE_BALANCED".into()),
            "{several:#}"
        );
        contains(&finance.fails(2, &["run", "2026-13-01", "--merchant", MERCHANT]), &["2026-13-01"]);
        contains(&finance.fails(2, &["run", &yesterday]), &["--merchant"]);

        world.pass_to_next_day(8, 0).await;
        let early = finance.fails(2, &["run", &today.to_string(), "--merchant", MERCHANT]);
        contains(&early, &["wait: WeChat makes a day's bill until about ten"]);
    });
}

#[test]
fn a_run_is_exported_compared_with_the_one_before_and_explained() {
    story(Options::default().with_reconcile(), async |world| {
        let (date, run) = with_p3(world).await;
        let finance = Finance::of(world);
        finance.ends(1, &["run", &date, "--merchant", MERCHANT]);

        let told = finance.ends(0, &["export", &run]);
        let workbook = std::fs::read(finance.file(&format!("{MERCHANT}_{date}_v2.xlsx"))).expect("the file is there");
        assert!(workbook.starts_with(b"PK\x03\x04"), "a workbook is a zip archive");
        assert_eq!(told, format!("{MERCHANT}_{date}_v2.xlsx, {} bytes\n", workbook.len()));
        let json = finance.ends(0, &["export", &run, "--format", "json", "--output", "-"]);
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            (&json["run"]["state"], &json["run"]["billDate"]),
            (&"STATE_DIFFERENCES".into(), &date.as_str().into())
        );
        finance.ends(0, &["export", &run, "--format", "csv", "--output", "day.csv"]);
        let csv = std::fs::read_to_string(finance.file("day.csv")).expect("the file is there");
        // The P3, and its money, which may still come.
        let rows: Vec<&str> = csv.trim_start_matches('\u{feff}').lines().filter(|line| !line.is_empty()).collect();
        // What stands between quotes may have commas.
        let commas = |row: &&str| row.split('"').step_by(2).map(|outside| outside.matches(',').count()).sum();
        let widths: Vec<usize> = rows.iter().map(commas).collect();
        assert!(
            rows.iter().any(|row| row.starts_with("P3,")) && widths.iter().all(|width| *width == widths[0]),
            "{csv}"
        );

        let diff = finance.json(1, &["diff", &run]);
        assert_eq!((&diff["appearedCount"], &diff["changedInputs"][0]), (&"2".into(), &"TRADE".into()), "{diff:#}");
        contains(&finance.ends(1, &["diff", &run]), &["v1", "v2", "P3", "F2"]);
        contains(&finance.ends(0, &["diff", &run, &run]), &["inputs that changed: none", "appeared: 0"]);

        let found = finance.json(0, &["list", "--differences", "--code", "P3", "--date", &date]);
        let found = &found["discrepancies"][0];
        let (name, number) = (found["name"].as_str().expect("a name"), found["outTradeNo"].as_str().expect("a number"));
        let explained = finance.ends(0, &["explain", name]);
        assert!(explained.starts_with(&format!("P3 OPEN of {MERCHANT} {date}: ")), "{explained}");
        contains(&explained, &[number, "trade bill", "SUCCESS", "next: --propose", "reconcile-svc OPENED"]);
        contains(
            &finance.fails(1, &["explain", "discrepancies/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80"]),
            &["--differences"],
        );
    });
}

#[test]
fn two_people_settle_a_difference_and_the_log_fits() {
    story(Options::default().with_reconcile(), async |world| {
        let (date, _) = with_p3(world).await;
        let finance = Finance::of(world);
        finance.ends(1, &["run", &date, "--merchant", MERCHANT]);
        let found = finance.json(0, &["list", "--differences", "--unfinished"]);
        let name = found["discrepancies"][0]["name"].as_str().expect("a name");

        let propose = ["resolve", name, "--propose", "settled-elsewhere", "--note", "wired back"];
        contains(&finance.fails(2, &propose), &["no token", "PERSON_TOKEN"]);
        contains(&finance.as_person("nobodys-token").fails(2, &propose), &["PEOPLE_FILE of reconcile-svc"]);
        let (one, other) = (finance.as_person(ONE), finance.as_person(OTHER));
        assert!(one.ends(0, &propose).starts_with("P3 PROPOSED of "));
        let proposed = finance.json(0, &["list", "--differences", "--code", "P3", "--date", &date]);
        let number = proposed["discrepancies"][0]["proposalSequence"].as_str().expect("a number");
        contains(&finance.ends(0, &["explain", name]), &[&format!("--approve {number}")]);
        contains(&one.fails(1, &["resolve", name, "--approve", number]), &["let another person do it"]);
        contains(
            &other.fails(1, &["resolve", name, "--approve", "1"]),
            &[&format!("what stands is proposal {number}")],
        );
        let settled = other.ends(0, &["resolve", name, "--approve", number]);
        assert!(settled.starts_with("P3 APPLIED of "), "{settled}");
        contains(&other.fails(1, &["resolve", name, "--reject"]), &["payctl recon explain NAME"]);
        contains(&finance.ends(0, &["explain", name]), &["finance-a PROPOSED", "wired back", "finance-b APPROVED"]);
        let left = finance.json(0, &["list", "--differences", "--unfinished"]);
        assert_eq!(left["discrepancies"], Value::Array(Vec::new()), "{left:#}");

        // Two were found; what was decided about one of them is two rows more.
        let audit = finance.ends(0, &["audit", "verify"]);
        assert!(audit.starts_with("4 rows, each fits the one before it; the last one's hash is "), "{audit}");
        let pool = world.postgres.pool("reconcile");
        for sql in
            ["ALTER TABLE audit_log DISABLE TRIGGER USER", "UPDATE audit_log SET detail = 'x' WHERE sequence = 2"]
        {
            sqlx::query(sql).execute(&pool).await.expect(sql);
        }
        pool.close().await;
        contains(&finance.ends(1, &["audit", "verify"]), &["row 2 does not fit: "]);
    });
}
