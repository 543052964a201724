package dev.heed.opencl.calls;

/** Constants of OpenCL. Most have the names of OpenCL's headers, without the prefix {@code CL_}. */
public final class Cl {
    public static final int PLATFORM_VERSION = 0x0901;
    public static final int PLATFORM_NAME = 0x0902;

    static final long CONTEXT_PLATFORM = 0x1084;

    public static final int DEVICE_TYPE = 0x1000;
    static final int DEVICE_VENDOR_ID = 0x1001;
    public static final int DEVICE_MAX_COMPUTE_UNITS = 0x1002;
    public static final int DEVICE_MAX_WORK_GROUP_SIZE = 0x1004;
    public static final int DEVICE_MAX_WORK_ITEM_SIZES = 0x1005;
    public static final int DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT = 0x100A;
    public static final int DEVICE_MAX_CLOCK_FREQUENCY = 0x100C;
    public static final int DEVICE_ADDRESS_BITS = 0x100D;
    public static final int DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010;
    public static final int DEVICE_MAX_PARAMETER_SIZE = 0x1017;
    public static final int DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019;
    public static final int DEVICE_GLOBAL_MEM_SIZE = 0x101F;
    public static final int DEVICE_MAX_CONSTANT_BUFFER_SIZE = 0x1020;
    public static final int DEVICE_LOCAL_MEM_TYPE = 0x1022;
    public static final int DEVICE_LOCAL_MEM_SIZE = 0x1023;
    public static final int DEVICE_PROFILING_TIMER_RESOLUTION = 0x1025;
    public static final int DEVICE_ENDIAN_LITTLE = 0x1026;
    public static final int DEVICE_AVAILABLE = 0x1027;
    public static final int DEVICE_COMPILER_AVAILABLE = 0x1028;
    public static final int DEVICE_NAME = 0x102B;
    public static final int DEVICE_VENDOR = 0x102C;
    public static final int DRIVER_VERSION = 0x102D;
    public static final int DEVICE_VERSION = 0x102F;
    public static final int DEVICE_EXTENSIONS = 0x1030;
    public static final int DEVICE_DOUBLE_FP_CONFIG = 0x1032;
    public static final int DEVICE_HOST_UNIFIED_MEMORY = 0x1035;
    public static final int DEVICE_OPENCL_C_VERSION = 0x103D;
    static final int DEVICE_COMPUTE_CAPABILITY_MAJOR_NV = 0x4000;
    static final int DEVICE_COMPUTE_CAPABILITY_MINOR_NV = 0x4001;
    static final int DEVICE_REGISTERS_PER_BLOCK_NV = 0x4002;
    static final int DEVICE_WARP_SIZE_NV = 0x4003;

    /** {@code CL_DEVICE_TYPE_ALL}, the lower 32 of 64 bits. JOCL's constant has all 64 bits set, which Mesa's drivers reject. */
    public static final long DEVICE_TYPE_ALL = 0xFFFF_FFFFL;

    public static final int LOCAL_MEMORY_IS_DEDICATED = 1;
    static final long QUEUE_PROFILING = 1L << 1;

    public static final long MEM_READ_WRITE = 1;
    public static final long MEM_USE_HOST_PTR = 1 << 3;
    public static final long MEM_ALLOC_HOST_PTR = 1 << 4;
    static final int BUFFER_CREATE_TYPE_REGION = 0x1220;
    public static final long MAP_READ = 1;
    public static final long MAP_WRITE = 1 << 1;
    public static final long MAP_WRITE_INVALIDATE = 1 << 2;

    static final int PROGRAM_BINARY_SIZES = 0x1165;
    static final int PROGRAM_BINARIES = 0x1166;
    static final int PROGRAM_BUILD_LOG = 0x1183;
    static final int KERNEL_NUM_ARGS = 0x1191;
    public static final int KERNEL_WORK_GROUP_SIZE = 0x11B0;
    public static final int KERNEL_LOCAL_MEM_SIZE = 0x11B2;
    public static final int KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE = 0x11B3;
    public static final int KERNEL_PRIVATE_MEM_SIZE = 0x11B4;

    static final int EVENT_COMMAND_EXECUTION_STATUS = 0x11D3;
    public static final int COMPLETE = 0;
    static final int PROFILING_COMMAND_QUEUED = 0x1280;
    static final int PROFILING_COMMAND_SUBMIT = 0x1281;
    public static final int PROFILING_COMMAND_START = 0x1282;
    public static final int PROFILING_COMMAND_END = 0x1283;

    private Cl() {}
}
