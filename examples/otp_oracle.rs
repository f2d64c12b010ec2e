//! The engine for an oracle to question: a line in, a code out.
//!
//! Each line of standard input is `SCHEME ALGORITHM DIGITS PERIOD T0 SECRET MOMENT PIN`, the secret in base32, the moment in
//! seconds since 1970 or, for hotp, the counter, and `-` for what a scheme doesn't have. `tests/oracle/otp.py` asks.

use std::io::{BufRead, Write};

use vmfa::account::Draft;
use vmfa::clock::UnixTime;
use vmfa::secret::SecretText;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", answer(&line?)?)?;
    }
    Ok(())
}

fn answer(line: &str) -> Result<String, Box<dyn std::error::Error>> {
    let words: Vec<&str> = line.split(' ').collect();
    let [scheme, algorithm, digits, period, t0, secret, moment, pin] = words[..] else {
        return Err(format!("eight words are needed: {line}").into());
    };
    let word = |word: &str| Some(word.to_owned()).filter(|word| word != "-");
    let draft = Draft {
        kind: word(scheme),
        algorithm: word(algorithm),
        digits: word(digits),
        period: word(period),
        t0: word(t0),
        counter: word("0"),
        secret: Some(SecretText::new(secret.to_owned())),
        secret_encoding: vmfa::account::SecretEncoding::Base32,
        pin: word(pin).map(SecretText::new),
        ..Draft::default()
    };
    let generator = draft
        .into_account(UnixTime::from_secs(0))?
        .account
        .generator()?;
    let moment = moment.parse()?;
    let code = match scheme {
        "hotp" => generator.code_of_counter(moment)?,
        _ => generator.code_at(UnixTime::from_secs(moment))?,
    };
    Ok(code.as_str().to_owned())
}
