//! A comparison as a built-in function of Python. A call through `ctypes` costs more than comparing two small texts;
//! a call of a built-in function costs next to nothing.
//!
//! Nothing of Python is linked: the wrapper hands over the addresses of the few C functions that are needed. All of
//! them, and the layout of `Method`, belong to Python's stable ABI, so one build serves every version.

use crate::cancel::Cancel;
use crate::context::Context;
use std::os::raw::{c_char, c_int, c_void}; // not `std::ffi`: that came after Rust 1.63
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// `PyObject *`.
type Object = *mut c_void;
/// What `METH_FASTCALL` says that `Method::call` is.
type FastCall = unsafe extern "C" fn(Object, *const Object, isize) -> Object;
const METH_FASTCALL: c_int = 0x0080;

/// `PyMethodDef`: what a built-in function is made from. Python keeps the pointer, so it has to live for ever.
#[repr(C)]
struct Method {
    name: *const c_char,
    call: FastCall,
    flags: c_int,
    doc: *const c_char,
}

/// The functions of Python that are needed, in the order in which the wrapper hands them over.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Python {
    /// `PyCFunction_NewEx`
    new_function: unsafe extern "C" fn(*mut Method, Object, Object) -> Object,
    /// `PyBytes_FromStringAndSize`
    new_bytes: unsafe extern "C" fn(*const u8, isize) -> Object,
    /// `PyBytes_AsStringAndSize`: -1, and an exception is set, where the object is not of type `bytes`
    read_bytes: unsafe extern "C" fn(Object, *mut *const u8, *mut isize) -> c_int,
}

static PYTHON: AtomicPtr<Python> = AtomicPtr::new(ptr::null_mut());

/// Make the built-in function `compare(before, after, options)`; null, and an exception is set, if Python cannot.
///
/// # Safety
/// `python` points to the addresses of the functions that `Python` names, in its order, and the caller holds the
/// interpreter lock.
#[no_mangle]
pub unsafe extern "C" fn patchbay_builtin(python: *const Python) -> Object {
    // SAFETY: the pointer is good, says the caller; the functions live as long as the process.
    let python = *Box::leak(Box::new(unsafe { *python }));
    PYTHON.store(Box::leak(Box::new(python)), Ordering::Release);
    let method = Method {
        name: b"compare\0".as_ptr().cast(),
        call: compare,
        flags: METH_FASTCALL,
        doc: b"Give the patch of two small texts, or empty bytes where `patchbay_compare` knows more.\0"
            .as_ptr()
            .cast(),
    };
    // SAFETY: the method is leaked, so it outlives the function; a function may do without `self` and module.
    unsafe { (python.new_function)(Box::leak(Box::new(method)), ptr::null_mut(), ptr::null_mut()) }
}

/// Texts that are larger, together, are not compared here: the interpreter lock is held, and others wait for it.
const LARGEST: usize = 1 << 16;

/// Compare two small texts and give the patch as `bytes`; empty ones say that `patchbay_compare` knows more (large texts,
/// a refusal, a bound).
///
/// # Safety
/// Called by Python alone, as METH_FASTCALL has it: `arguments` points to `count` objects that live until the call
/// returns, and the interpreter lock is held.
unsafe extern "C" fn compare(_: Object, arguments: *const Object, count: isize) -> Object {
    // SAFETY: set by `patchbay_builtin` before this function was made, and never freed.
    let python = unsafe { &*PYTHON.load(Ordering::Acquire) };
    let mut texts: [&[u8]; 3] = [&[]; 3]; // another number of arguments is a refusal: no text at all
    if count == texts.len() as isize {
        for (place, text) in texts.iter_mut().enumerate() {
            let (mut data, mut length) = (ptr::null(), 0);
            // SAFETY: there are as many arguments as texts, and both results are written to places of our own.
            if unsafe { (python.read_bytes)(*arguments.add(place), &mut data, &mut length) } != 0 {
                return ptr::null_mut();
            }
            // SAFETY: the bytes belong to an object of type `bytes`, which never changes and outlives the call.
            *text = unsafe { std::slice::from_raw_parts(data, length as usize) };
        }
    }
    let [before, after, options] = texts;
    if before.len() + after.len() > LARGEST {
        // SAFETY: the lock is held.
        return unsafe { (python.new_bytes)(ptr::null(), 0) };
    }
    let lent = catch_unwind(AssertUnwindSafe(|| {
        let mut context = Context::lend();
        let is_done = context.compare(before, after, options, Cancel(None)).is_ok() && !context.is_bounded();
        if !is_done {
            context.patch.clear();
        }
        context
    }));
    let (data, length) =
        lent.as_ref().map_or((ptr::null(), 0), |context| (context.patch.as_ptr(), context.patch.len()));
    // SAFETY: the lock is held, and the bytes are alive: the function copies them.
    let patch = unsafe { (python.new_bytes)(data, length as isize) };
    if let Ok(context) = lent {
        let _ = catch_unwind(AssertUnwindSafe(|| context.give_back()));
    }
    patch
}
