//! The search for what an earlier spec named: from name to name, as things of the stack mention
//! them. A cloud only fetches what [`Search::next`] asks for.

use super::{Clues, Live, Stack};
use crate::name::RoleName;

/// Which names were looked at, and which come next.
#[derive(Debug)]
pub struct Search<'a> {
    stack: &'a Stack,
    begin: Clues,
    followed: Clues,
}

impl<'a> Search<'a> {
    /// Begins with the roles that carry the stack's mark, and with what a look at the whole account
    /// has found.
    #[must_use]
    pub fn new(stack: &'a Stack, marked: impl IntoIterator<Item = RoleName>) -> Self {
        let marked = Clues { roles: marked.into_iter().collect(), ..Clues::default() };
        let begin = marked.with(stack.names.also.clone());
        Self { stack, begin, followed: Clues::default() }
    }

    /// The names to look at now; what is found there goes into `live.former`. `None` ends the
    /// search: nothing mentions a name that was not looked at.
    pub fn next(&mut self, live: &mut Live) -> Option<Clues> {
        let mentioned = std::mem::take(&mut self.begin).with(live.clues(self.stack));
        let clues = mentioned.beside(self.stack).unless_in(&mut self.followed);
        if clues.is_empty() {
            live.end_of_search(self.stack);
            return None;
        }
        Some(clues)
    }
}
