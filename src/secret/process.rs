//! What a process can do so that nobody looks into it.

/// No core dump from here on, whatever happens, and nobody of the same user looks in; a program that this one turns into is as
/// any other. For the start of a program that is about to be told something: a crash while it reads it writes nothing down.
pub fn leave_no_core() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// No core dump, and no debugger of the same user: the system refuses both from here on. Best effort: each is refused on
/// some system, and neither is a reason not to work.
pub fn keep_out() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    leave_no_core();
}
