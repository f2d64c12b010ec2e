//! `vmfa aws`: one file a command.

mod policy;

use crate::args::aws::Aws;
use crate::fault::{Exit, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: Aws) -> Outcome<Exit> {
    match input {
        Aws::Policy(input) => policy::run(context, &input),
    }
}
