use super::*;
use crate::aws::arn::Partition;
