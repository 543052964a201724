package dev.heed.view.page;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The encoded weights of one head in a page, little-endian:
 *
 * <pre>
 * u16   per row      number of stored weights
 * LEB   per weight   its key minus the previous key of the row minus 1 (the first: the key itself)
 * u8    per weight   high byte of its code
 * u8    per weight   low byte
 * f32   per row      the sum of the weights left out
 * </pre>
 *
 * <p>The code of a weight is {@code round(65534 sqrt(weight / scale))}. With a scale of 1, its error is at most 1.6e-5
 * for a weight near 1 and 0.2 % for a weight of 1e-4; a linear code would be 8 % off there. High and low bytes are
 * stored separately because only the high bytes compress. LEB is LEB128, an integer in groups of 7 bits.
 */
final class PageHead {
    /** The code of a non-finite weight. */
    static final int NO_NUMBER = 0xFFFF;

    /** The code of a weight as large as the scale. */
    static final int LARGEST = 0xFFFE;

    private final ByteBuffer counts;
    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final ByteArrayOutputStream high = new ByteArrayOutputStream();
    private final ByteArrayOutputStream low = new ByteArrayOutputStream();
    private final ByteBuffer rests;
    private final double scale;

    PageHead(int rows, double scale) {
        this.counts = ByteBuffer.allocate(2 * rows).order(ByteOrder.LITTLE_ENDIAN);
        this.rests = ByteBuffer.allocate(4 * rows).order(ByteOrder.LITTLE_ENDIAN);
        this.scale = scale;
    }

    /** Adds the next row. A weight whose code would be 0 is added to the weights left out. */
    void add(PageRow row) {
        int count = 0;
        int next = 0;
        double rest = row.rest();
        for (int i = 0; i < row.count(); i++) {
            double weight = row.weight(i);
            int code = Double.isFinite(weight)
                    ? (int) Math.round(LARGEST * Math.sqrt(Math.min(1, weight / scale)))
                    : NO_NUMBER;
            if (code == 0) {
                rest += weight;
            } else {
                leb(row.key(i) - next);
                next = row.key(i) + 1;
                high.write(code >> 8);
                low.write(code);
                count++;
            }
        }
        counts.putShort((short) count);
        rests.putFloat(Double.isFinite(rest) ? (float) rest : 0);
    }

    private void leb(int value) {
        int left = value;
        for (; left >= 0x80; left >>>= 7) {
            keys.write(left & 0x7F | 0x80);
        }
        keys.write(left);
    }

    byte[] bytes() {
        byte[][] parts = {counts.array(), keys.toByteArray(), high.toByteArray(), low.toByteArray(), rests.array()};
        ByteBuffer all = ByteBuffer.allocate(
                Arrays.stream(parts).mapToInt(part -> part.length).reduce(0, Math::addExact));
        for (byte[] part : parts) {
            all.put(part);
        }
        return all.array();
    }
}
