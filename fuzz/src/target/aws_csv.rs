//! The console's CSV files from any bytes: a name or key that is taken is one.
use vmfa::aws::csv::{read_access_key, read_users};

pub fn run(bytes: &[u8]) {
    if let Ok(users) = read_users(bytes) {
        assert!(!users.is_empty());
        for user in users {
            assert!(user.name.bytes().all(|byte| byte.is_ascii_graphic()));
            if let Some(console) = user.console {
                assert!(console.link.starts_with("https://"));
                assert!(console.link.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
    if let Ok((id, secret)) = read_access_key(bytes) {
        assert!(
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        );
        assert!(secret.expose().bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
