//! A SQLite file system on a [`Disk`], so that SQLite itself meets power loss, full disks and failing flushes.
//!
//! [`Mount::new`] registers it under a name of its own; a store is opened on it with `SqliteOptions::vfs`. Locks and
//! shared memory are as SQLite asks for them, between the connections of this process.
//!
//! The structures that SQLite keeps pointers to (the registration and the disk's address) are never freed: a connection
//! may outlive its [`Mount`], and tests are short.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use rusqlite::ffi;

use super::disk::{Disk, Refusal};
use super::vfs_shared::{Locks, Memory, Shared};

/// A registered file system. Dropping it takes the name back; open connections go on.
#[derive(Debug)]
pub struct Mount {
    name: String,
    vfs: *mut ffi::sqlite3_vfs,
}

// SAFETY: the pointer is only given back to `sqlite3_vfs_unregister`, which takes SQLite's own lock.
unsafe impl Send for Mount {}
// SAFETY: as above; nothing is reachable through a shared reference.
unsafe impl Sync for Mount {}

/// What the registration points to.
struct Context {
    disk: Weak<Disk>,
    shared: Shared,
}

impl Mount {
    /// Registers a file system on `disk`. It works as long as the disk lives.
    ///
    /// # Panics
    /// When SQLite refuses the registration, which it does only without memory.
    pub fn new(disk: &Arc<Disk>) -> Mount {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("everstep-disk-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let c_name = CString::new(name.clone()).expect("the name has no zero byte");
        let context = Box::new(Context { disk: Arc::downgrade(disk), shared: Shared::default() });
        let vfs = Box::into_raw(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size_of::<OpenFile>() as c_int,
            mxPathname: 512,
            pNext: std::ptr::null_mut(),
            zName: c_name.into_raw(),
            pAppData: Box::into_raw(context).cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time_int64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the structure is complete and is never freed.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "the file system is registered");
        Mount { name, vfs }
    }

    /// The name for `SqliteOptions::vfs`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // SAFETY: `vfs` was registered and is never freed, so connections that are still open may use it.
        unsafe { ffi::sqlite3_vfs_unregister(self.vfs) };
    }
}

/// SQLite allocates this; `methods` must be first.
#[repr(C)]
struct OpenFile {
    methods: *const ffi::sqlite3_io_methods,
    handle: *mut Handle,
}

struct Handle {
    disk: Arc<Disk>,
    name: String,
    delete_on_close: bool,
    locks: Locks,
    memory: Memory,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

fn code(result: Result<(), Refusal>, fault: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Refusal::Full) => ffi::SQLITE_FULL,
        Err(Refusal::Missing | Refusal::Fault) => fault,
    }
}

/// # Safety
/// `vfs` must be one that [`Mount::new`] registered.
unsafe fn context<'a>(vfs: *mut ffi::sqlite3_vfs) -> &'a Context {
    // SAFETY: by the caller; `Mount::new` set `pAppData` to a `Context` that is never freed.
    unsafe { &*(*vfs).pAppData.cast::<Context>() }
}

/// # Safety
/// `file` must have been opened by [`open`], and SQLite must use it from one thread at a time, as it does.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Handle {
    // SAFETY: by the caller; `open` set `handle`, and `close` is the last call for it.
    unsafe { &mut *(*file.cast::<OpenFile>()).handle }
}

/// # Safety
/// `text` must be a C string or null.
unsafe fn name_of(text: *const c_char) -> Option<String> {
    // SAFETY: by the caller, and checked for null.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    static TEMPORARY: AtomicU64 = AtomicU64::new(0);
    let file = file.cast::<OpenFile>();
    // SAFETY: SQLite passes its registration, a C string or null, and room for an `OpenFile`.
    let (context, name) = unsafe {
        (*file).methods = std::ptr::null();
        (context(vfs), name_of(name))
    };
    let name = name.unwrap_or_else(|| format!("temporary-{}", TEMPORARY.fetch_add(1, Ordering::Relaxed)));
    let Some(disk) = context.disk.upgrade() else { return ffi::SQLITE_CANTOPEN };
    let created = match flags & ffi::SQLITE_OPEN_CREATE {
        0 if !disk.exists(&name) => Err(Refusal::Missing),
        0 => Ok(()),
        _ => disk.create(&name),
    };
    if created.is_err() {
        return ffi::SQLITE_CANTOPEN;
    }
    let handle = Box::new(Handle {
        delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
        locks: context.shared.locks(&name),
        memory: context.shared.memory(&name),
        disk,
        name,
    });
    // SAFETY: as above; `out_flags` is null or room for an int.
    unsafe {
        (*file).handle = Box::into_raw(handle);
        (*file).methods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: `open` made the handle with `Box::into_raw`, and this is the last call for the file.
    let handle = unsafe { Box::from_raw((*file.cast::<OpenFile>()).handle) };
    if handle.delete_on_close {
        let _ = handle.disk.delete(&handle.name, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite passes an open file and `amount` bytes of room.
    let (handle, into) =
        unsafe { (handle(file), slice::from_raw_parts_mut(into.cast::<u8>(), amount as usize)) };
    match handle.disk.read(&handle.name, offset as usize, into) {
        Ok(length) if length == into.len() => ffi::SQLITE_OK,
        Ok(length) => {
            into[length..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: SQLite passes an open file and `amount` bytes.
    let (handle, from) = unsafe { (handle(file), slice::from_raw_parts(from.cast::<u8>(), amount as usize)) };
    code(handle.disk.write(&handle.name, offset as usize, from), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.truncate(&handle.name, size as usize), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let handle = unsafe { handle(file) };
    code(handle.disk.sync(&handle.name), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: SQLite passes an open file and room for the size.
    unsafe {
        let handle = handle(file);
        match handle.disk.size(&handle.name) {
            Ok(found) => *size = found as i64,
            Err(_) => return ffi::SQLITE_IOERR_FSTAT,
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    if unsafe { handle(file) }.locks.raise(level) { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    unsafe { handle(file) }.locks.lower(level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: SQLite passes an open file and room for an int.
    unsafe { *reserved = c_int::from(handle(file).locks.is_reserved()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _op: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// What SQLite assumes of every disk on Unix: a torn write does not touch bytes outside of it.
unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    address: *mut *mut c_void,
) -> c_int {
    // SAFETY: SQLite passes an open file and room for an address.
    unsafe {
        let found = handle(file).memory.region(region as usize, size as usize, extend != 0);
        *address = found.map_or(std::ptr::null_mut(), |found| found.cast());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let slots = offset as usize..(offset + count) as usize;
    let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    // SAFETY: SQLite passes an open file.
    let memory = unsafe { &mut handle(file).memory };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        memory.unlock(slots);
        return ffi::SQLITE_OK;
    }
    if memory.lock(slots, exclusive) { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(_file: *mut ffi::sqlite3_file) {
    std::sync::atomic::fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    unsafe { handle(file) }.memory.unmap();
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, durably: c_int) -> c_int {
    // SAFETY: SQLite passes its registration and a C string.
    let (context, name) = unsafe { (context(vfs), name_of(name).unwrap_or_default()) };
    match context.disk.upgrade().map(|disk| disk.delete(&name, durably != 0)) {
        Some(Ok(())) => ffi::SQLITE_OK,
        Some(Err(Refusal::Missing)) => ffi::SQLITE_IOERR_DELETE_NOENT,
        _ => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes its registration, a C string and room for an int.
    unsafe {
        let name = name_of(name).unwrap_or_default();
        *result = c_int::from(context(vfs).disk.upgrade().is_some_and(|disk| disk.exists(&name)));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a C string and `room` bytes.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if name.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len());
    }
    ffi::SQLITE_OK
}

/// Not random, so that a seed tells everything; SQLite uses it for the salt of the log, which must only differ.
unsafe extern "C" fn randomness(_vfs: *mut ffi::sqlite3_vfs, amount: c_int, out: *mut c_char) -> c_int {
    static COUNTER: AtomicU64 = AtomicU64::new(1);
    let mut seed = COUNTER.fetch_add(1, Ordering::Relaxed);
    // SAFETY: SQLite passes `amount` bytes of room.
    let out = unsafe { slice::from_raw_parts_mut(out.cast::<u8>(), amount as usize) };
    out.fill_with(|| super::disk::below(&mut seed, 256) as u8);
    amount
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    std::thread::sleep(std::time::Duration::from_micros(microseconds.unsigned_abs().into()));
    microseconds
}

/// 2026-01-01 in milliseconds of the Julian calendar.
const NOW: i64 = 212_636_059_200_000;

unsafe extern "C" fn current_time_int64(_vfs: *mut ffi::sqlite3_vfs, now: *mut i64) -> c_int {
    // SAFETY: SQLite passes room for the time.
    unsafe { *now = NOW };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time(_vfs: *mut ffi::sqlite3_vfs, now: *mut f64) -> c_int {
    // SAFETY: SQLite passes room for the time.
    unsafe { *now = NOW as f64 / 86_400_000.0 };
    ffi::SQLITE_OK
}
