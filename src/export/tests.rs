use super::*;
use crate::account::{AccountId, Summary};
use crate::otp::{Algorithm, Digits, Hotp, Period, Scheme, Totp};
use crate::qr;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn account(issuer: &str, name: &str, scheme: Scheme) -> Account {
    let counter = matches!(scheme, Scheme::Hotp(_)).then_some(7);
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: issuer.into(),
            name: name.into(),
            label_issuer: None,
            scheme,
            counter,
            tags: Vec::new(),
            note: String::new(),
            favorite: false,
            confirm: false,
            serial_number: None,
            image: None,
            added: 1_600_000_000,
            trashed: None,
            conflict: false,
        },
        secret: Secret::new(b"12345678901234567890".to_vec()),
        pin: None,
    }
}

fn totp(digits: u64, period: u64, algorithm: Algorithm) -> Scheme {
    Scheme::Totp(Totp {
        algorithm,
        digits: Digits::new(digits).unwrap(),
        period: Period::new(period).unwrap(),
        t0: 0,
    })
}

fn target(id: &str) -> &'static Target {
    by_id(id).unwrap()
}

fn fate(id: &str, account: Account) -> Fate {
    fates(target(id), &[account]).remove(0)
}

#[test]
fn ids_are_each_ones_own() {
    let mut seen = std::collections::HashSet::new();
    for target in TARGETS {
        for word in std::iter::once(&target.id).chain(target.also) {
            assert!(seen.insert(*word), "{word}");
        }
        assert!(!target.how.contains('\t') && target.how.contains("vmfa export --to"));
    }
}

#[test]
fn what_a_target_cannot_hold_is_left_out_and_said() {
    let usual = || account("A", "b", totp(6, 30, Algorithm::Sha1));
    for target in TARGETS {
        assert_eq!(fate(target.id, usual()), Fate::Carried(vec![]));
    }
    let motp = account("A", "b", Scheme::Motp);
    assert_eq!(
        fate("2fas", motp),
        Fate::LeftOut(Obstacle::Kind(Kind::Motp))
    );
    let odd = || account("A", "b", totp(6, 45, Algorithm::Sha1));
    assert_eq!(fate("2fas", odd()), Fate::LeftOut(Obstacle::Period(45)));
    assert_eq!(fate("google", odd()), Fate::LeftOut(Obstacle::Period(45)));
    assert_eq!(fate("aegis", odd()), Fate::Carried(vec![]));
    let seven = account("A", "b", totp(7, 30, Algorithm::Sha1));
    assert_eq!(fate("google", seven), Fate::LeftOut(Obstacle::Digits(7)));
    let rare = account("A", "b", totp(6, 30, Algorithm::Sha384));
    assert_eq!(
        fate("aegis", rare),
        Fate::LeftOut(Obstacle::Algorithm("SHA384"))
    );
    let mut shifted = account("A", "b", totp(6, 30, Algorithm::Sha1));
    if let Scheme::Totp(totp) = &mut shifted.summary.scheme {
        totp.t0 = 1;
    }
    assert_eq!(fate("aegis", shifted), Fate::LeftOut(Obstacle::T0));
    let hotp = Scheme::Hotp(Hotp {
        algorithm: Algorithm::Sha256,
        digits: Digits::SIX,
    });
    assert_eq!(
        fate("keepass", account("A", "b", hotp)),
        Fate::LeftOut(Obstacle::Algorithm("SHA256"))
    );
    let steam = account("Steam", "b", totp(6, 30, Algorithm::Sha1));
    assert_eq!(
        fate("freeotp+", steam),
        Fate::LeftOut(Obstacle::TakenForSteam)
    );
    let long = account("A", &"x".repeat(1024), totp(6, 30, Algorithm::Sha1));
    assert_eq!(fate("google", long), Fate::Carried(vec![]));
    let longer = account(
        &"山".repeat(341),
        &"田".repeat(341),
        totp(6, 30, Algorithm::Sha1),
    );
    assert_eq!(fate("sheet", longer), Fate::LeftOut(Obstacle::TooLong));
}

#[test]
fn one_secret_twice_is_no_two_accounts_for_stratum() {
    let two = [
        account("A", "b", totp(6, 30, Algorithm::Sha1)),
        account("C", "d", totp(8, 30, Algorithm::Sha1)),
    ];
    assert_eq!(
        fates(target("stratum"), &two),
        [Fate::Carried(vec![]), Fate::LeftOut(Obstacle::Twin)]
    );
    assert_eq!(fates(target("aegis"), &two).len(), 2);
}

#[test]
fn every_word_that_is_lost_is_said() {
    let mut full = account("A", "b", Scheme::Motp);
    full.pin = Some(SecretText::new("1234".into()));
    let summary = &mut full.summary;
    summary.tags = vec!["one".into(), "two".into()];
    summary.note = "note".into();
    summary.favorite = true;
    summary.confirm = true;
    summary.serial_number = Some("arn:aws:iam::123456789012:mfa/alice".into());
    summary.image = Some("https://example.com/a.png".into());
    summary.label_issuer = Some("Z".into());
    summary.trashed = Some(1);
    let fate = fate("uris", full);
    assert_eq!(
        fate,
        Fate::Carried(vec![
            Lost::Pin,
            Lost::Tags,
            Lost::Note,
            Lost::Favorite,
            Lost::Trash,
            Lost::SerialNumber,
            Lost::Confirm
        ])
    );
}

#[test]
fn a_serial_number_goes_into_the_note_once() {
    let mut aws = account("A", "b", totp(6, 30, Algorithm::Sha1));
    aws.summary.serial_number = Some("arn:aws:iam::123456789012:mfa/alice".into());
    aws.summary.note = "in the safe".into();
    let told = fates(target("aegis"), std::slice::from_ref(&aws));
    assert_eq!(told, [Fate::Carried(vec![Lost::SerialNumberInNote])]);
    let there = held(&aws, &told[0]).unwrap();
    assert_eq!(
        there.summary.note,
        "in the safe arn:aws:iam::123456789012:mfa/alice"
    );
    assert_eq!(there.summary.serial_number, None);
    aws.summary.note = there.summary.note.clone();
    assert_eq!(
        held(&aws, &told[0]).unwrap().summary.note,
        there.summary.note
    );
}

#[test]
fn a_form_that_a_target_lacks_is_refused() {
    let accounts = [account("A", "b", totp(6, 30, Algorithm::Sha1))];
    let passphrase = SecretText::new("correct horse".into());
    let outcome = |id, form| write(target(id), &accounts, form, NOW).err();
    assert!(matches!(
        outcome("keepass", Form::Plain),
        Some(ExportError::OnlySealed(_))
    ));
    assert!(matches!(
        outcome("uris", Form::Sealed(&passphrase)),
        Some(ExportError::OnlyPlain(_))
    ));
    assert_eq!(
        outcome("aegis", Form::Sealed(&SecretText::new(String::new()))),
        Some(ExportError::EmptyPassphrase)
    );
    let motp = [account("A", "b", Scheme::Motp)];
    assert!(matches!(
        write(target("google"), &motp, Form::Plain, NOW).err(),
        Some(ExportError::Nothing(_))
    ));
}

#[test]
fn migration_codes_are_small_and_hold_ten_accounts_at_most() {
    let many: Vec<Account> = (0..37)
        .map(|n| {
            account(
                "Example Corp",
                &format!("user{n}"),
                totp(6, 30, Algorithm::Sha1),
            )
        })
        .collect();
    let exported = write(target("google"), &many, Form::Plain, NOW).unwrap();
    let Output::Codes(codes) = exported.output else {
        panic!("no codes");
    };
    assert!(codes.len() >= 4, "{}", codes.len());
    for code in &codes {
        assert!(code.expose().len() <= 520);
        let drawing = qr::Drawing::new(code).unwrap();
        assert!(drawing.terminal_size().0 <= 85);
        let seen = qr::scan(drawing.png(4).unwrap().expose()).unwrap();
        assert_eq!(seen.texts.len(), 1);
        assert!(seen.texts[0].same_as(code));
    }
}

#[test]
fn a_path_of_pass_is_a_path_and_each_ones_own() {
    let accounts: Vec<Account> = [
        ("../..", "/etc/passwd"),
        ("GitHub", "a"),
        ("github", "A"),
        ("", ".hidden"),
        ("", ""),
    ]
    .into_iter()
    .map(|(issuer, name)| account(issuer, name, totp(6, 30, Algorithm::Sha1)))
    .collect();
    let exported = write(target("pass"), &accounts, Form::Plain, NOW).unwrap();
    let Output::Tree(files) = exported.output else {
        panic!("no tree");
    };
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "_/_etc_passwd.txt",
            "GitHub/a.txt",
            "github/A 2.txt",
            "hidden.txt",
            "account.txt"
        ]
    );
}

#[test]
fn the_sheet_is_closed_in_itself_and_escaped() {
    let mut hostile = account(
        "<script>alert(1)</script>",
        "\"><img src=x>",
        totp(6, 30, Algorithm::Sha1),
    );
    hostile.summary.serial_number = Some("arn:aws:iam::123456789012:mfa/alice".into());
    hostile.summary.note = "</article>&lt;".into();
    let exported = write(target("sheet"), &[hostile], Form::Plain, NOW).unwrap();
    let Output::File(bytes) = exported.output else {
        panic!("no file");
    };
    let page = std::str::from_utf8(bytes.expose()).unwrap();
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert_eq!(page.matches("</article>").count(), 1);
    assert!(page.contains("&lt;/article&gt;&amp;lt;"));
    assert!(page.contains("arn:aws:iam::123456789012:mfa/alice"));
    assert!(page.contains("<dt>AWS account</dt><dd>123456789012</dd>"));
    assert!(page.contains("@page") && page.contains("default-src 'none'"));
    assert!(page.contains("2020-09-13") && page.contains("2023-11-14"));
    assert!(page.contains("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"));
    let urls = page.matches("http").count() - page.matches("http-equiv").count();
    assert_eq!(urls, page.matches("http://www.w3.org/2000/svg").count());
}
