# Weighted max-min water-filling on borrowed buffers; see maxmin.pyx for the equation and the Python faces.

cdef struct Fill:
    # problem: flows x links in both directions of the incidence (CSR), capacities, weights, demands
    int n_flow
    int n_link
    const int* flow_ptr
    const int* flow_link
    const double* flow_coef
    const int* link_ptr
    const int* link_flow
    const double* link_coef
    const double* capacity
    const double* weight
    const double* demand
    # result
    double* rate
    double* level      # of a full link, infinite for the others: n_link
    int* bottleneck    # link that stops the flow, -1 when it has its demand: n_flow
    # work space: rem, sum_w: n_link; left: n_link; fixed: n_flow; heap_*: n_link + n_flow
    double* rem
    double* sum_w
    int* left
    int* fixed
    double* heap_key
    int* heap_id

cdef int fill(Fill* p) noexcept nogil
cdef void reverse_incidence(int n_flow, int n_link, const int* flow_ptr, const int* flow_link,
                            const double* flow_coef, int* link_ptr, int* link_flow, double* link_coef) noexcept nogil
