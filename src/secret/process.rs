//! What a process can do so that nobody looks into it.

/// No core dump, and no debugger of the same user: the system refuses both from here on. Best effort: each is refused on
/// some system, and neither is a reason not to work.
pub fn keep_out() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
