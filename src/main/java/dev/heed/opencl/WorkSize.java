package dev.heed.opencl;

/**
 * The number of work-items of a launch, and the size of its work-groups. In each dimension, the number of work-items must be a
 * multiple of the local size, if this is given.
 *
 * @param dimensions 1, 2 or 3
 * @param globalX work-items in the first dimension
 * @param globalY work-items in the second dimension
 * @param globalZ work-items in the third dimension
 * @param localX work-items per work-group in the first dimension; 0 leaves the grouping to the driver
 * @param localY work-items per work-group in the second dimension
 * @param localZ work-items per work-group in the third dimension
 */
public record WorkSize(
        int dimensions, long globalX, long globalY, long globalZ, long localX, long localY, long localZ) {

    /** {@return {@code global} work-items in work-groups of {@code local} work-items} */
    public static WorkSize of(long global, long local) {
        return new WorkSize(1, global, 1, 1, local, 1, 1);
    }

    /** {@return the fewest work-groups of {@code local} work-items that have at least {@code items} work-items} */
    public static WorkSize covering(long items, long local) {
        return of(Math.ceilDiv(items, local) * local, local);
    }

    /** {@return {@code groups} work-groups of {@code local} work-items} */
    public static WorkSize groups(long groups, long local) {
        return of(groups * local, local);
    }

    /** {@return {@code groupsX} x {@code groupsY} work-groups of {@code localX} x {@code localY} work-items} */
    public static WorkSize groups(long groupsX, long groupsY, long localX, long localY) {
        return new WorkSize(2, groupsX * localX, groupsY * localY, 1, localX, localY, 1);
    }

    /** {@return work-groups in three dimensions, as {@link #groups(long, long, long, long)} in two} */
    public static WorkSize groups(long groupsX, long groupsY, long groupsZ, long localX, long localY, long localZ) {
        return new WorkSize(3, groupsX * localX, groupsY * localY, groupsZ * localZ, localX, localY, localZ);
    }

    @Override
    public String toString() {
        return globalX + "x" + globalY + "x" + globalZ + " in groups of " + localX + "x" + localY + "x" + localZ;
    }
}
