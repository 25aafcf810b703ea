//! Memory of the process: keeping what is freed for the next tensor, and how much was needed.

/// Starts the program anew under settings with which glibc keeps large blocks, unless it runs under them already.
///
/// Tensors are large and short-lived. By default glibc asks the system for each one's memory and gives it back right after, and
/// zeroing fresh pages takes a third of a training step. The settings can only be given from outside. Where they cannot be
/// given, all works as well, only slower.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep() {
    use std::env;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    // Above this size a block gets its own mapping; above this much at the top the heap shrinks.
    let settings = [("MALLOC_MMAP_THRESHOLD_", "8589934592"), ("MALLOC_TRIM_THRESHOLD_", "17179869184")];
    if settings.iter().any(|(key, _)| env::var_os(key).is_some()) {
        return;
    }
    if let Ok(program) = env::current_exe() {
        // Comes back only when it fails.
        let _ = Command::new(program).args(env::args_os().skip(1)).envs(settings).exec();
    }
}

/// Other systems' allocators need no telling.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep() {}

/// The most memory that the process has had resident, in bytes, where the system says so (Linux).
pub fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
}
