//! Guest memory as devices see it.

use vm_memory::bitmap::AtomicBitmap;
use vm_memory::{GuestMemoryAtomic, GuestMemoryMmap};

/// The guest's RAM at one moment. Its bitmap notes what this process writes, which KVM's dirty log does not.
pub type Ram = GuestMemoryMmap<AtomicBitmap>;

/// A handle to the guest's RAM: `memory()` gives the map of this moment, which memory hotplug may replace. Take it anew for
/// every batch of requests, keep it for none.
pub type GuestMemory = GuestMemoryAtomic<Ram>;
