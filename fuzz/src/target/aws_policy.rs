//! A policy from any text: what is read can be examined, and what is said of it is fit for a terminal.
use vmfa::account::text::clean;
use vmfa::aws::policy::{Document, Use, examine, lacks_force_mfa};

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let document = match Document::read(text) {
        Ok(document) => document,
        Err(error) => {
            let said = error.to_string();
            assert_eq!(clean(&said), said);
            return;
        }
    };
    for meant in [Use::Identity, Use::Organisation] {
        let document = document.clone().meant_for(meant);
        let findings = examine(&document);
        assert!(findings.is_sorted_by_key(|finding| finding.severity));
        for finding in &findings {
            assert_eq!(clean(&finding.text), finding.text);
            assert_eq!(clean(&finding.advice), finding.advice);
            if let Some(place) = &finding.statement {
                assert!((1..=document.statements().len()).contains(&place.number));
            }
        }
    }
    // One more policy takes no Deny back.
    let alone = lacks_force_mfa(std::slice::from_ref(&document));
    let twice = lacks_force_mfa(&[document.clone(), document]);
    assert_eq!(alone, twice);
}
