//! What the options say about a place of a document.

/// On a mark: something below the node takes no part in the comparison.
pub const HOLDS_IGNORED: u32 = 1 << 31;

/// Leads the scan along the paths that options speak of. A mark is the guide's name for a place.
pub trait Guide {
    /// False where no option depends on the place, so that the scan keeps no marks at all.
    const ACTIVE: bool;
    fn root(&mut self) -> u32;
    /// The mark of a member; `name` is its text between the quotes, `hash` that of its meaning.
    fn member(&mut self, parent: u32, hash: u64, name: &[u8], escaped: bool) -> u32;
    fn item(&mut self, parent: u32, index: u32) -> u32;
    fn is_ignored(&self, mark: u32) -> bool;
    fn is_tolerant(&self, mark: u32) -> bool;
}

/// The guide of a comparison without path options: one mark, nothing special anywhere.
pub struct Everywhere;

impl Guide for Everywhere {
    const ACTIVE: bool = false;

    fn root(&mut self) -> u32 {
        0
    }

    fn member(&mut self, _: u32, _: u64, _: &[u8], _: bool) -> u32 {
        0
    }

    fn item(&mut self, _: u32, _: u32) -> u32 {
        0
    }

    fn is_ignored(&self, _: u32) -> bool {
        false
    }

    fn is_tolerant(&self, _: u32) -> bool {
        false
    }
}

/// The options, as questions about a place.
#[derive(Default)]
pub struct Rules {}

impl Rules {
    pub fn is_ignored(&self, _mark: u32) -> bool {
        false
    }

    pub fn tolerance(&self, _mark: u32) -> Option<f64> {
        None
    }

    pub fn is_invertible(&self, _mark: u32) -> bool {
        false
    }
}
