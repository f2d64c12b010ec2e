//! Makes the calls to AWS that `vmfa` asks for: the only program here that links the AWS SDK.

fn main() {}
