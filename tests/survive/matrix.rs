//! Which cells of a matrix are tried, and what came of them.

use crate::support::Call;

/// Is the whole asked for?
pub(crate) fn is_whole() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test itself")]
    let asked = std::env::var("PROVISION_SURVIVE");
    asked.is_ok_and(|asked| asked == "all")
}

/// All cells, or every nth of them. Choose an n that has nothing in common with the columns.
pub(crate) fn sampled<T>(cells: impl IntoIterator<Item = T>, nth: usize) -> Vec<T> {
    let cells: Vec<T> = cells.into_iter().collect();
    // The end of a command is as good a place as its beginning.
    let last = cells.len().saturating_sub(1) % nth;
    cells
        .into_iter()
        .enumerate()
        .filter(|(index, _)| is_whole() || index % nth == last)
        .map(|(_, cell)| cell)
        .collect()
}

/// What a call was, for the report of a failure.
pub(crate) fn name(calls: &[Call], number: usize) -> String {
    calls.get(number - 1).map_or_else(|| "never came".to_owned(), |call| call.operation.clone())
}

/// One row of a table.
pub(crate) struct Row {
    command: &'static str,
    numbers: Vec<(&'static str, usize)>,
    failures: Vec<String>,
}

impl Row {
    pub(crate) fn new(command: &'static str, columns: &[&'static str]) -> Self {
        Self {
            command,
            numbers: columns.iter().map(|column| (*column, 0)).collect(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, column: &str, number: usize) {
        self.numbers.iter_mut().find(|(name, _)| *name == column).unwrap().1 += number;
    }

    /// Notes how a cell ended.
    pub(crate) fn note(&mut self, cell: &str, ended: Result<(), String>) {
        match ended {
            Ok(()) => self.add("converged", 1),
            Err(why) => self.failures.push(format!("{}, {cell}:\n{why}", self.command)),
        }
    }

    /// Prints the row; fails if a cell did.
    pub(crate) fn show(self) {
        let numbers: Vec<String> =
            self.numbers.iter().map(|(column, number)| format!("{column} {number:>3}")).collect();
        println!("{:<26} {}", self.command, numbers.join(" | "));
        assert!(
            self.failures.is_empty(),
            "{} cells failed:\n\n{}",
            self.failures.len(),
            self.failures.join("\n\n")
        );
    }
}
