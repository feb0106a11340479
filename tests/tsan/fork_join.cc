// Tells ThreadSanitizer of OpenMP's fork and join. The OpenMP runtime is not built with it, so that it would not
// see that a parallel region begins after what stands before it, and ends before what stands behind it. Linked in
// with -Wl,--wrap=GOMP_parallel, to which the compiler turns every parallel region of ours.
extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);
void __real_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags);

namespace {

struct Region {
  void (*body)(void*);
  void* data;
  char begin = 0;  // only their addresses matter
  char end = 0;
};

void run_part(void* argument) {
  auto* region = static_cast<Region*>(argument);
  __tsan_acquire(&region->begin);
  region->body(region->data);
  __tsan_release(&region->end);
}

}  // namespace

void __wrap_GOMP_parallel(void (*body)(void*), void* data, unsigned threads, unsigned flags) {
  Region region{body, data};
  __tsan_release(&region.begin);
  __real_GOMP_parallel(run_part, &region, threads, flags);
  __tsan_acquire(&region.end);
}

}  // extern "C"
