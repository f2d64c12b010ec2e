//! How good a passphrase is.

use vmfa::secret::SecretText;
use zeroize::Zeroizing;

/// What a guesser would make of a passphrase.
pub(crate) struct Strength {
    pub(crate) weak: bool,
    pub(crate) text: String,
}

impl Strength {
    pub(crate) fn of(passphrase: &SecretText) -> Self {
        // The estimate takes time that grows with the length; whatever has 100 characters is judged by them.
        let head: Zeroizing<String> =
            Zeroizing::new(passphrase.expose().chars().take(100).collect());
        let estimate = zxcvbn::zxcvbn(&head, &["vmfa", "aws", "amazon"]);
        let words = match estimate.score() {
            zxcvbn::Score::Zero => "very weak",
            zxcvbn::Score::One => "weak",
            zxcvbn::Score::Two => "fair",
            zxcvbn::Score::Three => "good",
            _ => "strong",
        };
        let mut text = format!(
            "{words}: found in about 10^{:.0} tries",
            estimate.guesses_log10()
        );
        let weak = estimate.score() < zxcvbn::Score::Two;
        if weak && let Some(feedback) = estimate.feedback() {
            if let Some(warning) = feedback.warning() {
                text = format!("{text}. {}", warning.to_string().trim_end_matches('.'));
            }
            text.push_str(". Four or five random words are strong and easy to type.");
        }
        Self { weak, text }
    }
}
