//! What the options say about a place of a document.
//!
//! All patterns are followed at once, as one automaton that is built while documents are scanned: a state is how far
//! each pattern has come, and what follows from that is worked out once per state. Every node gets a mark: its state
//! and a few bits.

use crate::fault::Stop;
use crate::hash::Keys;
use crate::options::{ArrayRule, Options, Pattern};
use crate::strings::unescape;
use std::collections::HashMap;

/// On a mark: something below the node takes no part in the comparison.
pub const HOLDS_IGNORED: u32 = 1 << 31;
/// The node itself takes no part.
pub const IGNORED: u32 = 1 << 30;
/// The node is only on the way to what `only` names, and holds nothing that takes part.
pub const HOLLOW: u32 = 1 << 29;
/// Nothing of the node is compared.
pub const ABSENT: u32 = IGNORED | HOLLOW;
const STATE: u32 = HOLLOW - 1;

const MOST_STATES: usize = 1 << 16;
const UNKNOWN: u32 = u32::MAX;
/// Positions of a pattern are bits.
const LONGEST_PATTERN: usize = 63;

/// Leads the scan along the paths that options speak of.
pub trait Guide {
    /// False where no option depends on the place, so that the scan keeps no marks at all.
    const ACTIVE: bool;
    fn root(&mut self) -> u32;
    /// The mark of a member; `name` is its text between the quotes, `hash` that of its meaning.
    fn member(&mut self, parent: u32, hash: u64, name: &[u8], escaped: bool) -> u32;
    fn item(&mut self, parent: u32, index: u32) -> u32;
    /// The node is only on the way to what takes part; a scalar there does not.
    fn is_outside(&self, mark: u32) -> bool;
    /// Numbers closer than this are equal; 0 where there is no tolerance.
    fn distance(&self, mark: u32) -> f64;
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

    fn is_outside(&self, _: u32) -> bool {
        false
    }

    fn distance(&self, _: u32) -> f64 {
        0.0
    }
}

/// One token of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(u32),
    /// `*`
    One,
    /// `**`
    Run,
}

/// How far one pattern has come: the positions that are possible, and whether it matched here or above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Trail {
    positions: u64,
    is_covered: bool,
}

/// What the options say in one state.
#[derive(Clone, Copy, Default)]
struct Verdict {
    is_shut: bool,
    is_outside: bool,
    is_tolerant: bool,
    is_invertible: bool,
    moves: bool,
    distance: f64,
    /// Place of the array rule.
    array: Option<usize>,
}

/// The keys of a keyed array, ready for look-ups.
pub struct KeyNames {
    /// Place of the rule among the array rules.
    pub rule: usize,
    pub hashes: Vec<u64>,
    pub texts: Vec<Vec<u8>>,
}

/// The options as questions about a place.
pub struct Rules {
    options: Options,
    /// Names that options know, sorted by hash, with their symbols.
    names: Vec<(u64, u32)>,
    /// Tokens that spell an index, sorted, with their symbols.
    indexes: Vec<(u32, u32)>,
    texts: Vec<Vec<u8>>,
    is_ignored_name: Vec<bool>,
    patterns: Vec<Vec<Token>>,
    states: Vec<(Vec<Trail>, Verdict)>,
    known: HashMap<Vec<Trail>, u32>,
    /// For each state and symbol the next state; the last symbol stands for all other tokens.
    table: Vec<u32>,
    keys: Vec<KeyNames>,
    overflowed: bool,
}

impl Rules {
    pub fn new(options: Options, hashes: &Keys) -> Result<Rules, Stop> {
        let mut rules = Rules {
            names: Vec::new(),
            indexes: Vec::new(),
            texts: Vec::new(),
            is_ignored_name: Vec::new(),
            patterns: Vec::new(),
            states: Vec::new(),
            known: HashMap::new(),
            table: Vec::new(),
            keys: options.arrays.iter().enumerate().map(|(place, rule)| key_names(place, rule, hashes)).collect(),
            overflowed: false,
            options,
        };
        rules.compile(hashes)?;
        let start = rules.patterns.iter().map(|pattern| closed(pattern, 1, false)).collect();
        rules.state(start);
        Ok(rules)
    }

    /// Turn names and patterns into symbols. The patterns stand in the order ignored, only, arrays, tolerances, moves,
    /// invertible.
    fn compile(&mut self, hashes: &Keys) -> Result<(), Stop> {
        let options = self.options.clone();
        let mut symbols: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut symbol = |texts: &mut Vec<Vec<u8>>, text: &[u8]| {
            *symbols.entry(text.to_vec()).or_insert_with(|| {
                texts.push(text.to_vec());
                texts.len() as u32 - 1
            })
        };
        let ignored: Vec<u32> = options.ignored_names.iter().map(|name| symbol(&mut self.texts, name)).collect();
        let everywhere: Pattern = Vec::new();
        let every_array: Pattern = vec![b"**".to_vec()];
        let everywhere = |path: &Option<Pattern>| path.clone().unwrap_or_else(|| everywhere.clone());
        let patterns = options.ignored_paths.iter().chain(&options.only).cloned();
        let patterns = patterns
            .chain(options.arrays.iter().map(|rule| rule.path.clone().unwrap_or_else(|| every_array.clone())))
            .chain(options.tolerances.iter().map(|rule| everywhere(&rule.path)))
            .chain(options.moves.iter().chain(&options.invertible).map(|rule| everywhere(&rule.path)));
        for pattern in patterns {
            if pattern.len() > LONGEST_PATTERN {
                return Err(Stop::Unsupported);
            }
            let token = |text: &Vec<u8>| match text.as_slice() {
                b"*" => Token::One,
                b"**" => Token::Run,
                literal => Token::Literal(symbol(&mut self.texts, literal)),
            };
            self.patterns.push(pattern.iter().map(token).collect());
        }
        self.is_ignored_name = vec![false; self.texts.len() + 1];
        ignored.iter().for_each(|&symbol| self.is_ignored_name[symbol as usize] = true);
        self.names = self.texts.iter().zip(0..).map(|(text, symbol)| (hashes.text(text), symbol)).collect();
        self.names.sort_unstable();
        self.indexes = self.texts.iter().zip(0..).filter_map(|(text, symbol)| Some((index(text)?, symbol))).collect();
        self.indexes.sort_unstable();
        Ok(())
    }

    /// Whether documents need marks.
    pub fn is_active(&self) -> bool {
        let options = &self.options;
        let switches = options.moves.iter().chain(&options.invertible);
        !(options.ignored_names.is_empty()
            && options.ignored_paths.is_empty()
            && options.only.is_empty()
            && options.tolerances.is_empty())
            || options.arrays.iter().any(|rule| rule.path.is_some())
            || switches.into_iter().any(|rule| rule.path.is_some())
    }

    /// The automaton grew too large for a comparison to be trusted to it.
    pub fn has_overflowed(&self) -> bool {
        self.overflowed
    }

    pub fn options(&self) -> &Options {
        &self.options
    }

    fn verdict(&self, mark: u32) -> &Verdict {
        &self.states[(mark & STATE) as usize].1
    }

    /// Whether a container may not be replaced or removed as a whole.
    pub fn is_fixed(&self, mark: u32) -> bool {
        mark & HOLDS_IGNORED != 0 || self.verdict(mark).is_outside
    }

    /// A tolerance holds here or may hold somewhere below.
    pub fn is_tolerant(&self, mark: u32) -> bool {
        self.verdict(mark).is_tolerant
    }

    /// Numbers closer than this are equal; 0 where there is no tolerance.
    pub fn distance(&self, mark: u32) -> f64 {
        self.verdict(mark).distance
    }

    /// A container that is only on the way to what takes part.
    pub fn is_outside(&self, mark: u32) -> bool {
        self.verdict(mark).is_outside
    }

    pub fn is_invertible(&self, mark: u32) -> bool {
        self.verdict(mark).is_invertible
    }

    pub fn moves(&self, mark: u32) -> bool {
        self.verdict(mark).moves
    }

    pub fn array_rule(&self, mark: u32) -> Option<(&ArrayRule, &KeyNames)> {
        let place = self.verdict(mark).array?;
        Some((&self.options.arrays[place], &self.keys[place]))
    }

    fn symbol(&self, hash: u64, name: &[u8], escaped: bool) -> usize {
        let other = self.texts.len();
        let first = self.names.partition_point(|entry| entry.0 < hash);
        let is_it = |symbol: u32| {
            if !escaped {
                return self.texts[symbol as usize] == name;
            }
            let mut meaning = Vec::new();
            unescape(name, &mut meaning);
            self.texts[symbol as usize] == meaning
        };
        let mut same = self.names[first..].iter().take_while(|entry| entry.0 == hash);
        same.find(|entry| is_it(entry.1)).map_or(other, |entry| entry.1 as usize)
    }

    fn step(&mut self, from: u32, symbol: usize) -> u32 {
        let slot = (from & STATE) as usize * (self.texts.len() + 1) + symbol;
        if self.table[slot] == UNKNOWN {
            let trails = &self.states[(from & STATE) as usize].0;
            let next =
                trails.iter().zip(&self.patterns).map(|(trail, pattern)| follow(*trail, pattern, symbol)).collect();
            self.table[slot] = self.state(next);
        }
        self.table[slot]
    }

    /// The number of a state, which is made if it is new.
    fn state(&mut self, trails: Vec<Trail>) -> u32 {
        if let Some(&state) = self.known.get(&trails) {
            return state;
        }
        if self.states.len() >= MOST_STATES {
            self.overflowed = true;
            return 0;
        }
        let state = self.states.len() as u32;
        self.states.push((trails.clone(), self.judge(&trails)));
        self.known.insert(trails, state);
        self.table.resize(self.states.len() * (self.texts.len() + 1), UNKNOWN);
        state
    }

    /// What the options say where the patterns have come so far. Where several rules fit, the last one wins.
    fn judge(&self, trails: &[Trail]) -> Verdict {
        let options = &self.options;
        let mut rest = trails;
        let mut next = |count: usize| {
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        let ignored = next(options.ignored_paths.len());
        let only = next(options.only.len());
        let first_array = options.ignored_paths.len() + options.only.len();
        let arrays = next(options.arrays.len());
        let tolerances = next(options.tolerances.len());
        let moves = next(options.moves.len());
        let invertible = next(options.invertible.len());
        let covers = |trails: &[Trail]| trails.iter().rposition(|trail| trail.is_covered);
        let is_lost = |trail: &Trail| trail.positions == 0 && !trail.is_covered;
        let distance = covers(tolerances).map_or(0.0, |rule| options.tolerances[rule].distance);
        Verdict {
            is_shut: covers(ignored).is_some() || (!only.is_empty() && only.iter().all(is_lost)),
            is_outside: !only.is_empty() && covers(only).is_none(),
            is_tolerant: distance > 0.0 || tolerances.iter().any(|trail| !is_lost(trail)),
            is_invertible: covers(invertible).map_or(false, |rule| options.invertible[rule].is_on),
            moves: covers(moves).map_or(false, |rule| options.moves[rule].is_on),
            distance,
            array: (0..arrays.len())
                .rev()
                .find(|&rule| arrays[rule].positions >> self.patterns[first_array + rule].len() & 1 == 1),
        }
    }

    fn mark_of(&self, state: u32) -> u32 {
        state | if self.states[state as usize].1.is_shut { IGNORED } else { 0 }
    }
}

impl Guide for &mut Rules {
    const ACTIVE: bool = true;

    fn root(&mut self) -> u32 {
        self.mark_of(0)
    }

    fn member(&mut self, parent: u32, hash: u64, name: &[u8], escaped: bool) -> u32 {
        let symbol = self.symbol(hash, name, escaped);
        let state = self.step(parent, symbol);
        self.mark_of(state) | if self.is_ignored_name[symbol] { IGNORED } else { 0 }
    }

    fn item(&mut self, parent: u32, index: u32) -> u32 {
        let found = self.indexes.binary_search_by_key(&index, |entry| entry.0);
        let symbol = found.map_or(self.texts.len(), |place| self.indexes[place].1 as usize);
        let state = self.step(parent, symbol);
        self.mark_of(state)
    }

    fn is_outside(&self, mark: u32) -> bool {
        self.verdict(mark).is_outside
    }

    fn distance(&self, mark: u32) -> f64 {
        self.verdict(mark).distance
    }
}

fn key_names(place: usize, rule: &ArrayRule, hashes: &Keys) -> KeyNames {
    KeyNames { rule: place, hashes: rule.keys.iter().map(|key| hashes.text(key)).collect(), texts: rule.keys.clone() }
}

/// The index that a token spells.
fn index(token: &[u8]) -> Option<u32> {
    let is_canonical = token == b"0" || (token.first() != Some(&b'0') && token.iter().all(u8::is_ascii_digit));
    if is_canonical {
        std::str::from_utf8(token).ok()?.parse().ok()
    } else {
        None
    }
}

/// Add the positions that `**` reaches by standing for nothing; see whether the pattern has come to its end.
fn closed(pattern: &[Token], mut positions: u64, was_covered: bool) -> Trail {
    for (position, &token) in pattern.iter().enumerate() {
        if token == Token::Run && positions >> position & 1 == 1 {
            positions |= 1 << (position + 1);
        }
    }
    Trail { positions, is_covered: was_covered || positions >> pattern.len() & 1 == 1 }
}

fn follow(trail: Trail, pattern: &[Token], symbol: usize) -> Trail {
    let mut positions = 0;
    for (position, &token) in pattern.iter().enumerate() {
        if trail.positions >> position & 1 == 0 {
            continue;
        }
        match token {
            Token::Run => positions |= 1 << position,
            Token::One => positions |= 1 << (position + 1),
            Token::Literal(literal) if literal as usize == symbol => positions |= 1 << (position + 1),
            Token::Literal(_) => {}
        }
    }
    closed(pattern, positions, trail.is_covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(patterns: &[&[&str]]) -> Rules {
        let pattern = |tokens: &&[&str]| tokens.iter().map(|token| token.as_bytes().to_vec()).collect();
        let options = Options { ignored_paths: patterns.iter().map(pattern).collect(), ..Options::default() };
        Rules::new(options, &Keys::draw()).expect("short patterns")
    }

    /// Walk along member names; whether the place is ignored.
    fn ignores(rules: &mut Rules, path: &[&str]) -> bool {
        let mut guide = rules;
        let mut mark = guide.root();
        for token in path {
            let symbol = guide.texts.iter().position(|text| text == token.as_bytes()).unwrap_or(guide.texts.len());
            let hash = guide.names.iter().find(|name| name.1 as usize == symbol).map_or(0, |name| name.0);
            mark = Guide::member(&mut guide, mark, hash, token.as_bytes(), false);
        }
        mark & IGNORED != 0
    }

    #[test]
    fn patterns_match_and_cover() {
        let mut rules = rules(&[&["a", "*", "c"], &["**", "x"]]);
        for (path, expected) in [
            (vec!["a", "b", "c"], true),
            (vec!["a", "b", "c", "d"], true),
            (vec!["a", "c"], false),
            (vec!["b", "b", "c"], false),
            (vec!["x"], true),
            (vec!["q", "r", "x", "s"], true),
            (vec![], false),
        ] {
            assert_eq!(ignores(&mut rules, &path), expected, "{path:?}");
        }
    }

    #[test]
    fn tokens_that_spell_an_index_match_items() {
        let mut rules = rules(&[&["1"]]);
        let mut guide = &mut rules;
        let (first, second) = (guide.item(0, 0), guide.item(0, 1));
        assert_eq!((first & IGNORED, second & IGNORED), (0, IGNORED));
        assert_eq!(index(b"01"), None);
        assert_eq!(index(b"-1"), None);
    }
}
