//! The part of Python's pickle format that dictionaries of tensors are made of. Nothing is run: calls are only noted.

use std::collections::HashMap;
use std::rc::Rc;

/// Most containers within each other.
const MAX_DEPTH: usize = 16;

type PickleResult<T> = Result<T, PickleError>;

/// Why a pickle cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleError {
    /// It ends before its last opcode.
    #[error("the pickle is cut short")]
    CutShort,
    /// It has an opcode that no state dict needs.
    #[error("unsupported pickle opcode {0:#04x}")]
    Opcode(u8),
    /// An opcode takes something that is not there, or of another kind.
    #[error("pickle opcode {opcode:#04x}: expected {expected}")]
    Operand {
        /// The opcode.
        opcode: u8,
        /// What it takes.
        expected: &'static str,
    },
    /// Containers lie too deep within each other.
    #[error("expected at most {MAX_DEPTH} containers within each other, got more")]
    TooDeep,
    /// A text is not UTF-8.
    #[error("expected text in UTF-8, got other bytes")]
    NotUtf8,
}

/// A Python object.
#[derive(Clone, Debug)]
pub enum Object {
    /// `int` or `bool`.
    Integer(i64),
    /// `str`.
    Text(Rc<str>),
    /// A class or a function, as `module.name`.
    Global(Rc<str>),
    /// `tuple`.
    Tuple(Objects),
    /// `dict` or `OrderedDict`: keys and values in turn.
    Dictionary(Objects),
    /// What the program that wrote the file keeps elsewhere; the tuple says where.
    Persistent(Objects),
    /// A call of a function with these arguments.
    Call(Rc<str>, Objects),
    /// Anything else.
    Other,
}

/// The objects in a container. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    items: Rc<Vec<Object>>,
    depth: usize,
}

impl std::ops::Deref for Objects {
    type Target = [Object];

    fn deref(&self) -> &[Object] {
        &self.items
    }
}

impl Objects {
    fn new(items: Vec<Object>) -> PickleResult<Self> {
        let depth = 1 + items.iter().map(Object::depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(PickleError::TooDeep);
        }
        Ok(Self { items: Rc::new(items), depth })
    }
}

impl Object {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a text",
            Self::Global(_) => "a class or function",
            Self::Tuple(_) => "a tuple",
            Self::Dictionary(_) => "a dictionary",
            Self::Persistent(_) => "a reference to memory",
            Self::Call(..) => "the result of a call",
            Self::Other => "another object",
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Tuple(items) | Self::Dictionary(items) | Self::Persistent(items) | Self::Call(_, items) => {
                items.depth
            }
            Self::Integer(_) | Self::Text(_) | Self::Global(_) | Self::Other => 0,
        }
    }

    /// The value of a key in a dictionary.
    pub fn get(&self, wanted: &str) -> Option<&Self> {
        let Self::Dictionary(items) = self else { return None };
        let is_wanted = |pair: &&[Self]| matches!(&pair[0], Self::Text(key) if &**key == wanted);
        items.chunks_exact(2).find(is_wanted).map(|pair| &pair[1])
    }
}

/// Reads one pickled object.
///
/// # Errors
/// When it is cut short, or made of what dictionaries of tensors are not made of.
pub fn read(bytes: &[u8]) -> PickleResult<Object> {
    let mut machine = Machine { rest: bytes, opcode: 0, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
    loop {
        if let Some(object) = machine.step()? {
            return Ok(object);
        }
    }
}

/// Pickle is a program for a machine with a stack.
struct Machine<'a> {
    rest: &'a [u8],
    /// What is being done, for messages.
    opcode: u8,
    stack: Vec<Object>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Object>,
}

impl<'a> Machine<'a> {
    /// Does one operation; the last one gives the result.
    fn step(&mut self) -> PickleResult<Option<Object>> {
        self.opcode = self.byte()?;
        let object = match self.opcode {
            b'.' => return self.pop().map(Some),
            0x80 => return self.byte().map(|_| None), // version
            b'(' => {
                self.marks.push(self.stack.len());
                return Ok(None);
            }
            b'q' => {
                let index = self.byte()?.into();
                return self.memorise(index);
            }
            b'r' => {
                let index = u32::from_le_bytes(self.array()?);
                return self.memorise(index);
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                return self.extend(vec![key, value]);
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                return self.extend(items);
            }
            b'a' | b'b' => return self.pop().map(|_| None), // an item of a list, the state of an object
            b'e' => return self.pop_to_mark().map(|_| None),
            b'h' => {
                let index = self.byte()?.into();
                self.recall(index)?
            }
            b'j' => {
                let index = u32::from_le_bytes(self.array()?);
                self.recall(index)?
            }
            b'N' | b']' => Object::Other, // None, an empty list
            b'G' => {
                self.take(8)?;
                Object::Other // a float
            }
            0x88 => Object::Integer(1),
            0x89 => Object::Integer(0),
            b'J' => Object::Integer(i32::from_le_bytes(self.array()?).into()),
            b'K' => Object::Integer(self.byte()?.into()),
            b'M' => Object::Integer(u16::from_le_bytes(self.array()?).into()),
            0x8a => self.long()?,
            b'X' => {
                let length = u32::from_le_bytes(self.array()?) as usize;
                Object::Text(text(self.take(length)?)?.into())
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                Object::Global(format!("{module}.{name}").into())
            }
            b')' => Object::Tuple(Objects::default()),
            b't' => Object::Tuple(Objects::new(self.pop_to_mark()?)?),
            count @ 0x85..=0x87 => {
                let start = self.stack.len().checked_sub(count as usize - 0x84);
                let start = start.ok_or_else(|| self.expected("an object on the stack"))?;
                Object::Tuple(Objects::new(self.stack.split_off(start))?)
            }
            b'}' => Object::Dictionary(Objects::default()),
            b'Q' => match self.pop()? {
                Object::Tuple(items) => Object::Persistent(items),
                _ => return Err(self.expected("a tuple")),
            },
            b'R' => match (self.pop()?, self.pop()?) {
                (_, Object::Global(name)) if &*name == "collections.OrderedDict" => {
                    Object::Dictionary(Objects::default())
                }
                (Object::Tuple(arguments), Object::Global(name)) => Object::Call(name, arguments),
                _ => return Err(self.expected("a function and its arguments")),
            },
            other => return Err(PickleError::Opcode(other)),
        };
        self.stack.push(object);
        Ok(None)
    }

    fn expected(&self, expected: &'static str) -> PickleError {
        PickleError::Operand { opcode: self.opcode, expected }
    }

    fn take(&mut self, count: usize) -> PickleResult<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(PickleError::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> PickleResult<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(PickleError::CutShort)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> PickleResult<u8> {
        self.array().map(|[byte]| byte)
    }

    fn line(&mut self) -> PickleResult<&'a str> {
        let length = self.rest.iter().position(|&byte| byte == b'\n').ok_or(PickleError::CutShort)?;
        let line = self.take(length + 1)?;
        text(&line[..length])
    }

    /// An integer of any length; those of more than 64 bits are not of interest.
    fn long(&mut self) -> PickleResult<Object> {
        let length = self.byte()?.into();
        let bytes = self.take(length)?;
        if bytes.len() > 8 {
            return Ok(Object::Other);
        }
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut value = [if negative { 0xff } else { 0 }; 8];
        value[..length].copy_from_slice(bytes);
        Ok(Object::Integer(i64::from_le_bytes(value)))
    }

    fn pop(&mut self) -> PickleResult<Object> {
        self.stack.pop().ok_or_else(|| self.expected("an object on the stack"))
    }

    fn pop_to_mark(&mut self) -> PickleResult<Vec<Object>> {
        let height = self.marks.pop().filter(|&height| height <= self.stack.len());
        let height = height.ok_or_else(|| self.expected("a mark on the stack"))?;
        Ok(self.stack.split_off(height))
    }

    /// Adds keys and values to the dictionary at the top.
    fn extend(&mut self, items: Vec<Object>) -> PickleResult<Option<Object>> {
        let opcode = self.opcode;
        let Some(Object::Dictionary(dictionary)) = self.stack.last_mut() else {
            return Err(self.expected("a dictionary on the stack"));
        };
        if !items.len().is_multiple_of(2) {
            return Err(PickleError::Operand { opcode, expected: "a value for every key" });
        }
        let added = Objects::new(items)?;
        dictionary.depth = dictionary.depth.max(added.depth);
        Rc::make_mut(&mut dictionary.items).extend_from_slice(&added);
        Ok(None)
    }

    fn memorise(&mut self, index: u32) -> PickleResult<Option<Object>> {
        let object = match self.stack.last().ok_or_else(|| self.expected("an object on the stack"))? {
            // It may change later, and nothing of interest comes twice.
            Object::Dictionary(_) => Object::Other,
            object => object.clone(),
        };
        self.memo.insert(index, object);
        Ok(None)
    }

    fn recall(&self, index: u32) -> PickleResult<Object> {
        self.memo.get(&index).cloned().ok_or_else(|| self.expected("an object that was memorised"))
    }
}

fn text(bytes: &[u8]) -> PickleResult<&str> {
    std::str::from_utf8(bytes).map_err(|_| PickleError::NotUtf8)
}
