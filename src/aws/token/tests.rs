use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::aws::fake::{self, FakeHost, FakeRemote, NOON, refused, unable, wrong_code};
use crate::aws::operation::{GetSessionToken, Session};
use crate::aws::remote::{Failed, Signer};
use crate::failure::Fails as _;

const STEP: u64 = NOON / 30;

/// Asks for a session as `session` does.
fn ask(host: &mut FakeHost, remote: &mut FakeRemote) -> Result<Session, AwsError> {
    let device = host.devices().unwrap().remove(0);
    with_code(host, remote, &device, |remote, mfa| {
        let call = GetSessionToken {
            duration_seconds: 3600,
            mfa: Some(mfa),
        };
        Ok(remote.call(&Signer::Found(None), &call)?.output)
    })
}

/// AWS that refuses so many times, then takes anything.
fn refusing(times: usize, how: fn() -> Failed) -> FakeRemote {
    let mut remote = FakeRemote::default();
    let mut left = times;
    remote.on(move |_: GetSessionToken| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            Err(how())
        }
        None => Ok(fake::lasting("ASIA", 3600)),
    });
    remote
}

/// The steps, from the present one, whose codes were sent.
fn steps(host: &FakeHost, remote: &FakeRemote, around: u64) -> Vec<i64> {
    let step = |code: String| {
        let near = around - 10..=around + 10;
        let found = near.clone().find(|step| host.code_of(*step) == code);
        found.expect("a code of this time") as i64 - STEP as i64
    };
    remote.codes().into_iter().map(step).collect()
}

#[test]
fn the_present_code_goes_first_and_a_refused_one_is_followed_by_another() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = refusing(0, wrong_code);
    assert!(ask(&mut host, &mut remote).is_ok());
    assert_eq!(steps(&host, &remote, STEP), [0]);

    let mut remote = refusing(2, wrong_code);
    assert!(ask(&mut host, &mut remote).is_ok());
    let mut sent = steps(&host, &remote, STEP);
    assert_eq!(sent.len(), 3);
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 3, "one code twice");
    assert!(!sent.contains(&0), "the code of the first session again");
    assert!(sent.iter().all(|step| step.abs() <= 2), "{sent:?}");
}

#[test]
fn after_three_refused_codes_nobody_tries_a_fourth() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = refusing(3, wrong_code);
    let error = ask(&mut host, &mut remote).err().unwrap();
    assert!(
        matches!(
            error,
            AwsError::CodesRefused {
                tries: 3,
                skew: None,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(remote.made.len(), 3);
}

#[test]
fn what_another_code_would_not_help_is_not_tried_again() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = refusing(1, unable);
    assert!(matches!(
        ask(&mut host, &mut remote),
        Err(AwsError::Unable { .. })
    ));
    let mut denied = refusing(1, fake::denied);
    assert_eq!(
        ask(&mut host, &mut denied).err().unwrap().code(),
        Some("AccessDenied")
    );
    assert_eq!((remote.made.len(), denied.made.len()), (1, 1));
}

#[test]
fn where_no_answer_came_another_code_is_sent_after_a_pause() {
    let mut host = FakeHost::with_device("alice");
    let offline = || Failed::Offline("no route".into());
    let mut remote = refusing(2, offline);
    assert!(ask(&mut host, &mut remote).is_ok());
    assert_eq!(host.passed(), 5);
    let mut sent = remote.codes();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 3);

    let mut host = FakeHost::with_device("alice");
    let throttled = || refused("Throttling", "Rate exceeded");
    let mut remote = refusing(3, throttled);
    let error = ask(&mut host, &mut remote).err().unwrap();
    assert!(error.is_passing() && remote.made.len() == 3, "{error}");
    assert_eq!(host.passed(), 5);
}

#[test]
fn codes_are_made_for_the_clock_of_aws_where_it_matters() {
    for (skew, first, told) in [
        (0, 0, false),
        (5, 0, false),
        (-5, 0, false),
        (31, 1, true),
        (95, 3, true),
        (-95, -4, true),
    ] {
        let mut host = FakeHost::with_device("alice");
        let mut remote = refusing(0, wrong_code);
        remote.skew = Some(skew);
        assert!(ask(&mut host, &mut remote).is_ok());
        assert_eq!(steps(&host, &remote, STEP), [first], "{skew}");
        assert_eq!(
            host.has_said("codes are made for AWS's time"),
            told,
            "{skew}"
        );
        assert!(host.said.borrow().len() <= 1, "it is said once");
    }
}

#[test]
fn a_device_that_is_off_with_this_clock_gets_its_turn() {
    let mut host = FakeHost::with_device("alice");
    let mut remote = refusing(3, wrong_code);
    // Far enough that the two sets of codes don't meet.
    remote.skew = Some(300);
    let error = ask(&mut host, &mut remote).err().unwrap();
    assert!(matches!(
        error,
        AwsError::CodesRefused {
            skew: Some(300),
            ..
        }
    ));
    let sent = steps(&host, &remote, STEP);
    assert_eq!(sent[..2], [10, 0]);
    assert!((8..=12).contains(&sent[2]) && sent[2] != 10, "{sent:?}");
    assert!(error.hint().unwrap().contains("clock"));
}

#[test]
fn a_skew_that_the_first_answer_tells_is_taken_for_the_second_code() {
    let mut host = FakeHost::with_device("alice");
    let device = host.devices().unwrap().remove(0);
    let mut remote = FakeRemote::default();
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    remote.on(move |_: GetSessionToken| {
        count.set(count.get() + 1);
        match count.get() {
            1 => Err(wrong_code()),
            _ => Ok(fake::lasting("ASIA", 3600)),
        }
    });
    let answer = with_code(&mut host, &mut remote, &device, |remote, mfa| {
        let call = GetSessionToken {
            duration_seconds: 3600,
            mfa: Some(mfa),
        };
        let answer = remote.call(&Signer::Found(None), &call);
        // No answer, no Date header.
        remote.skew = Some(300);
        Ok(answer?.output)
    });
    assert!(answer.is_ok());
    assert_eq!(steps(&host, &remote, STEP), [0, 10]);
}

#[test]
fn the_tenth_code_of_three_minutes_is_waited_for() {
    let mut host = FakeHost::with_device("alice");
    let device = host.devices().unwrap().remove(0);
    let mut moments = Vec::new();
    for _ in 0..10 {
        fresh(&mut host, &device, 0).unwrap();
        moments.push(host.passed());
    }
    for window in moments.windows(BUDGET.attempts + 1) {
        assert!(
            window[BUDGET.attempts] - window[0] >= BUDGET.seconds,
            "{moments:?}"
        );
    }
    assert!(host.has_said("AWS takes 9 codes in 3 minutes"));
    // Five are within reach at once; for the others a new time step is waited for.
    assert_eq!(moments[..5], [0; 5]);
    assert_eq!(moments[5..9], [30, 60, 90, 120]);
    assert!(host.has_said("every code until now was handed out"));
}
