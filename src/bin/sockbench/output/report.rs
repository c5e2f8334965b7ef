use crate::args::Options;
use crate::measure::blocks::Run;
pub fn report(options: &Options, run: &Run) -> String {
    super::text::whole(options, run)
}
pub fn pictures(_run: &Run) -> Vec<(&'static str, String)> {
    vec![]
}
