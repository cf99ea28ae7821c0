//! The hint for a file system that the kernel does not mount for the caller.

/// What a file system that shows a namespace needs, and what any other one does: `mount_capable()` of fs/super.c.
pub fn not_permitted(file_system: &str) -> &'static str {
    match file_system {
        "proc" => {
            "a proc needs CAP_SYS_ADMIN in the user namespace that owns the pid namespace that it shows: add 'pid' to the kinds. \
             Where container engines mask parts of /proc, the kernel refuses it in a user namespace, but a proc with the option \
             subset=pid since Linux 7"
        }
        "sysfs" => {
            "a sysfs needs CAP_SYS_ADMIN in the user namespace that owns the net namespace that it shows: add 'net' to the kinds. \
             Where container engines mask parts of /sys, the kernel refuses it in a user namespace"
        }
        "mqueue" => {
            "mounting mqueue needs CAP_SYS_ADMIN in the user namespace that owns the ipc namespace: add 'ipc' to the kinds"
        }
        "cgroup" | "cgroup2" => {
            "mounting it needs CAP_SYS_ADMIN in the user namespace that owns the cgroup namespace: add 'cgroup' to the kinds"
        }
        "tmpfs" | "ramfs" | "devpts" | "overlay" | "fuse" | "bpf" => {
            "mounting it needs CAP_SYS_ADMIN in the user namespace that owns the mnt namespace: add 'user' to the kinds"
        }
        _ => {
            "only root of the host may mount a file system of this type (CAP_SYS_ADMIN in the first user namespace), and not from \
             a set with 'user'; there the kernel accepts proc, sysfs, tmpfs, ramfs, devpts, mqueue, cgroup2, overlay and fuse. \
             Mount it outside, and show it with a mount of type 'bind'"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_about_the_type() {
        assert!(not_permitted("proc").contains("add 'pid'"));
        assert!(not_permitted("tmpfs").contains("add 'user'"));
        assert!(not_permitted("ext4").contains("root of the host"));
    }
}
