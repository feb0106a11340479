#pragma once

#include <cstdint>
#include <optional>

namespace hrt {

// Threads of the tensor library: as asked, else as many as this process may use (Slurm's share, or its
// affinity mask, which containers and taskset set).
void use_threads(std::optional<std::int64_t> asked);

// Has MKL compute the same bits whatever the number of threads and the alignment of its arguments, as a
// resumed run must (docs/architecture.md, Sameness); costs nothing that could be measured
// (docs/benchmarks.md). To be called before the first product. Does nothing where the user has set MKL_CBWR.
void use_reproducible_blas();

// Starts this program again, with the same arguments, so that OpenMP's waiting threads soon go to sleep.
// libgomp lets them spin for milliseconds, which on cores that others use, too, makes a run many times slower
// (docs/benchmarks.md), and reads its settings before main begins. Does nothing where the user has set
// OMP_WAIT_POLICY or GOMP_SPINCOUNT.
void restart_with_short_spin();

}  // namespace hrt
