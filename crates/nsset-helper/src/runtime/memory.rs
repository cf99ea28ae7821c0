//! The memory functions that the compiler calls by name and that a libc would bring.
//!
//! Written with volatile accesses so that the compiler does not recognise the loop and call the function itself.

/// The unit of long copies: buffers for paths and for statmount(2) have thousands of bytes.
const WORD: usize = size_of::<usize>();

/// How many of `length` bytes are before the first aligned word at an address.
fn bytes_before_words(address: usize, length: usize) -> usize {
    (address.wrapping_neg() % WORD).min(length)
}

/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    let is_aligned_alike = to.addr() % WORD == from.addr() % WORD;
    let head = if is_aligned_alike { bytes_before_words(to.addr(), length) } else { length };
    let words = head + (length - head) / WORD * WORD;
    // SAFETY: the caller guarantees `length` bytes on both sides, and both sides are aligned from `head` on.
    unsafe {
        copy::<u8>(to, from, 0, head);
        copy::<usize>(to, from, head, words);
        copy::<u8>(to, from, words, length);
    }
    to
}

/// # Safety
/// Both sides have the bytes from `start` to `end`, aligned for `T`, whose size divides their number.
unsafe fn copy<T: Copy>(to: *mut u8, from: *const u8, start: usize, end: usize) {
    for index in (start..end).step_by(size_of::<T>()) {
        // SAFETY: the caller guarantees that each side has a `T` at `index`, since `index` steps by its size from an aligned start.
        unsafe { to.add(index).cast::<T>().write_volatile(from.add(index).cast::<T>().read_volatile()) };
    }
}

/// # Safety
/// As memset(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    let byte = byte as u8;
    let head = bytes_before_words(to.addr(), length);
    let words = head + (length - head) / WORD * WORD;
    // SAFETY: the caller guarantees `length` bytes, which are aligned from `head` on.
    unsafe {
        fill(to, byte, 0, head);
        fill(to, usize::from_ne_bytes([byte; WORD]), head, words);
        fill(to, byte, words, length);
    }
    to
}

/// # Safety
/// There are the bytes from `start` to `end`, aligned for `T`, whose size divides their number.
unsafe fn fill<T: Copy>(to: *mut u8, value: T, start: usize, end: usize) {
    for index in (start..end).step_by(size_of::<T>()) {
        // SAFETY: the caller guarantees room for a `T` at `index`, since `index` steps by its size from an aligned start.
        unsafe { to.add(index).cast::<T>().write_volatile(value) };
    }
}

/// # Safety
/// As memcmp(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    for index in 0..length {
        // SAFETY: the caller guarantees `length` bytes on both sides.
        let (a, b) = unsafe { (left.add(index).read_volatile(), right.add(index).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// # Safety
/// As strlen(3).
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: the caller guarantees a terminating NUL.
    while unsafe { text.add(length).read_volatile() } != 0 {
        length += 1;
    }
    length
}

/// # Safety
/// As memcmp(3); the compiler's name for a comparison of which only equality matters.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, length: usize) -> i32 {
    // SAFETY: the caller's promise is the same.
    unsafe { memcmp(left, right, length) }
}
