//! The C ABI that `ctypes` calls: one of the three places with `unsafe`, and where a panic ends.

use crate::cancel::Cancel;
use crate::context::{self, Context, Input};
use crate::fault::{self, Fault, Reason, Stop};
use crate::scan;
use crate::tape::Tape;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::AtomicU8;

/// Raised with every change of the ABI; the wrapper refuses a library with another number.
const ABI_VERSION: u32 = 5;

/// How a call ended.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Done = 0,
    /// A text is not acceptable JSON; the reply says where and why.
    Malformed = 1,
    /// A text nests deeper than allowed; the reply says where.
    TooDeep = 2,
    /// The caller raised the flag.
    Cancelled = 3,
    /// The system has no more memory.
    Memory = 4,
    /// The core cannot do this call; the reference engine can.
    Unsupported = 5,
    /// A panic: a fault of the core.
    Panicked = 6,
    /// Items of a keyed array lack a key or share one; the data says which, as JSON.
    Keys = 7,
}

/// What a call answers besides its status. Pointers stay good until the handle is released.
#[repr(C)]
pub struct Reply {
    /// To be given to `patchbay_release`; null where nothing needs to be.
    pub handle: *mut Context,
    /// The result, or the reason of a refusal.
    pub data: *const u8,
    /// The pointer of a refusal, or the patch that leads back.
    pub pointer: *const u8,
    pub length: usize,
    pub pointer_length: usize,
    pub line: usize,
    pub column: usize,
    /// Which text is at fault: 0 the first, 1 the second.
    pub input: usize,
    /// 1 where a bound made the patch coarser than it could be.
    pub bounded: usize,
}

impl Reply {
    fn empty() -> Reply {
        Reply {
            handle: ptr::null_mut(),
            data: ptr::null(),
            length: 0,
            pointer: ptr::null(),
            pointer_length: 0,
            line: 0,
            column: 0,
            input: 0,
            bounded: 0,
        }
    }
}

/// The bytes that a caller lends for the time of a call.
///
/// # Safety
/// `data` is null (then `length` counts for nothing) or points to `length` readable bytes that nobody writes until
/// the call returns. The wrapper passes `bytes` objects, which never change and outlive the call.
unsafe fn borrow<'a>(data: *const u8, length: usize) -> &'a [u8] {
    if data.is_null() {
        return &[];
    }
    // SAFETY: this function's own condition.
    unsafe { std::slice::from_raw_parts(data, length) }
}

/// The number of this ABI.
#[no_mangle]
pub extern "C" fn patchbay_version() -> u32 {
    ABI_VERSION
}

/// Set how many bytes the waiting contexts may keep, all together.
#[no_mangle]
pub extern "C" fn patchbay_keep(bytes: usize) {
    context::keep(bytes);
}

/// Check that a text is acceptable JSON.
///
/// # Safety
/// `text` points to `length` bytes as `borrow` wants them; `reply` points to a writable `Reply`.
#[no_mangle]
pub unsafe extern "C" fn patchbay_check(text: *const u8, length: usize, max_depth: u32, reply: *mut Reply) -> u32 {
    // SAFETY: the caller keeps the conditions above.
    let text = unsafe { borrow(text, length) };
    let (status, answer) = guarded(|| {
        let mut context = Context::lend();
        match context.check(text, max_depth as usize, Cancel(None)) {
            Ok(()) => {
                context.give_back();
                (Status::Done, Reply::empty())
            }
            Err(stop) => refuse(stop, text, Input::Before, context),
        }
    });
    // SAFETY: `reply` is writable, says the caller.
    unsafe { ptr::write(reply, answer) };
    status as u32
}

/// Compare two texts; the reply's data is the patch.
///
/// # Safety
/// `before`, `after` and `options` point to as many bytes as said, as `borrow` wants them; `cancel` is null or points
/// to a byte that stays readable until the call returns; `reply` points to a writable `Reply`.
#[no_mangle]
#[allow(clippy::too_many_arguments)] // three texts, a flag and the answer
pub unsafe extern "C" fn patchbay_compare(
    before: *const u8,
    before_length: usize,
    after: *const u8,
    after_length: usize,
    options: *const u8,
    options_length: usize,
    cancel: *const u8,
    reply: *mut Reply,
) -> u32 {
    // SAFETY: the caller keeps the conditions above.
    let (before, after) = unsafe { (borrow(before, before_length), borrow(after, after_length)) };
    // SAFETY: as above.
    let options = unsafe { borrow(options, options_length) };
    // SAFETY: an `AtomicU8` lies in memory like a byte, needs no alignment, and may be written by others meanwhile.
    let cancel = Cancel(if cancel.is_null() { None } else { Some(unsafe { &*cancel.cast::<AtomicU8>() }) });
    let (status, answer) = guarded(|| {
        let mut context = Context::lend();
        match context.compare(before, after, options, cancel) {
            Ok(()) => (Status::Done, lend_out(context)),
            Err((stop, input)) => refuse(stop, if input == Input::Before { before } else { after }, input, context),
        }
    });
    // SAFETY: `reply` is writable, says the caller.
    unsafe { ptr::write(reply, answer) };
    status as u32
}

/// The answer that shows a context's patch. The context is lent to the caller until released.
fn lend_out(context: Box<Context>) -> Reply {
    Reply {
        data: context.patch.as_ptr(),
        length: context.patch.len(),
        pointer: context.inverse.as_ptr(),
        pointer_length: context.inverse.len(),
        bounded: usize::from(context.is_bounded()),
        handle: Box::into_raw(context),
        ..Reply::empty()
    }
}

/// Give back what a reply points to.
///
/// # Safety
/// `handle` is null or comes from a reply and has not been released before.
#[no_mangle]
pub unsafe extern "C" fn patchbay_release(handle: *mut Context) {
    if handle.is_null() {
        return;
    }
    // SAFETY: the handle was made by `Box::into_raw` and is given back once, says the caller.
    let context = unsafe { Box::from_raw(handle) };
    let _ = catch_unwind(AssertUnwindSafe(|| context.give_back()));
}

/// Run `work`; a panic becomes a status. A context that was in use is dropped with the panic, so no broken one returns.
fn guarded(work: impl FnOnce() -> (Status, Reply)) -> (Status, Reply) {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| (Status::Panicked, Reply::empty()))
}

/// The answer of a call that stopped. `text` is the one at fault.
fn refuse(stop: Stop, text: &[u8], input: Input, mut context: Box<Context>) -> (Status, Reply) {
    let fault = match stop {
        Stop::Fault(fault) => fault,
        Stop::Keys => {
            let (data, length) = (context.key_report().as_ptr(), context.key_report().len());
            return (Status::Keys, Reply { data, length, handle: Box::into_raw(context), ..Reply::empty() });
        }
        Stop::Memory | Stop::Cancelled | Stop::Unsupported => {
            context.give_back();
            return (plain_status(stop), Reply::empty());
        }
    };
    let (line, column) = fault::position(text, fault.at);
    let tape: &Tape = if input == Input::Before { &context.before } else { &context.after };
    let pointer = if has_pointer(&fault) { scan::pointer_to(text, tape, fault.at) } else { Vec::new() };
    context.pointer = pointer;
    let reason = fault.reason.describe();
    let reply = Reply {
        data: reason.as_ptr(),
        length: reason.len(),
        // A null pointer says "no pointer"; the empty one is the whole document.
        pointer: if has_pointer(&fault) { context.pointer.as_ptr() } else { ptr::null() },
        pointer_length: context.pointer.len(),
        line,
        column,
        input: input as usize,
        handle: Box::into_raw(context),
        ..Reply::empty()
    };
    (if fault.reason == Reason::TooDeep { Status::TooDeep } else { Status::Malformed }, reply)
}

fn plain_status(stop: Stop) -> Status {
    match stop {
        Stop::Memory => Status::Memory,
        Stop::Cancelled => Status::Cancelled,
        Stop::Unsupported => Status::Unsupported,
        Stop::Fault(_) => Status::Malformed,
        Stop::Keys => Status::Keys,
    }
}

/// Complaints about meaning have a place in the document; complaints about grammar have line and column alone.
fn has_pointer(fault: &Fault) -> bool {
    matches!(
        fault.reason,
        Reason::DuplicateName | Reason::TooDeep | Reason::OutOfRange | Reason::NotFinite | Reason::Surrogate
    )
}
