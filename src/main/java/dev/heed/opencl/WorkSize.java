package dev.heed.opencl;

/**
 * How many work-items a launch has, and how they are grouped. Global sizes are multiples of the local ones.
 *
 * @param dimensions 1, 2 or 3
 * @param globalX work-items in the first dimension
 * @param globalY in the second
 * @param globalZ in the third
 * @param localX work-items of a group in the first dimension; 0 leaves the grouping to the driver
 * @param localY in the second
 * @param localZ in the third
 */
public record WorkSize(
        int dimensions, long globalX, long globalY, long globalZ, long localX, long localY, long localZ) {

    /** {@return work-items in groups} */
    public static WorkSize of(long global, long local) {
        return new WorkSize(1, global, 1, 1, local, 1, 1);
    }

    /** {@return as many groups as hold {@code items}} */
    public static WorkSize covering(long items, long local) {
        return of(Math.ceilDiv(items, local) * local, local);
    }

    /** {@return groups of work-items: this many groups, of this many work-items} */
    public static WorkSize groups(long groups, long local) {
        return of(groups * local, local);
    }

    /** {@return groups in two dimensions} */
    public static WorkSize groups(long groupsX, long groupsY, long localX, long localY) {
        return new WorkSize(2, groupsX * localX, groupsY * localY, 1, localX, localY, 1);
    }

    /** {@return groups in three dimensions} */
    public static WorkSize groups(long groupsX, long groupsY, long groupsZ, long localX, long localY, long localZ) {
        return new WorkSize(3, groupsX * localX, groupsY * localY, groupsZ * localZ, localX, localY, localZ);
    }

    @Override
    public String toString() {
        return globalX + "x" + globalY + "x" + globalZ + " in groups of " + localX + "x" + localY + "x" + localZ;
    }
}
