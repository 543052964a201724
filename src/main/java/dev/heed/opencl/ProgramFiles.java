package dev.heed.opencl;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * A cache of compiled programs on disk. The name of a file contains a hash of everything that the binary depends on: source,
 * options, device, driver, and the version of this format. A file contains a hash of its binary. If the folder cannot be written
 * to, nothing is stored; a damaged file is deleted and treated as missing.
 */
final class ProgramFiles {
    /** Changing this version invalidates all older files. */
    private static final int FORMAT = 1;

    private static final byte[] MAGIC = "HEEDCLB1".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOTHING = {};
    private static final System.Logger LOG = System.getLogger("dev.heed.opencl");

    private final @Nullable Path folder;
    private final Device device;
    private volatile boolean writable = true;

    ProgramFiles(@Nullable Path cache, Device device) {
        this.folder = cache == null ? null : cache.resolve("opencl");
        this.device = device;
    }

    String name(KernelSource source, String options) {
        MessageDigest digest = sha256();
        for (String part : new String[] {
            String.valueOf(FORMAT),
            source.text(),
            options,
            device.name(),
            device.vendor(),
            device.driver(),
            device.version(),
            device.platform(),
            device.platformVersion()
        }) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            digest.update(
                    (bytes.length + ":").getBytes(StandardCharsets.US_ASCII)); // "ab" + "c" must differ from "a" + "bc"
            digest.update(bytes);
        }
        return source.file().replaceAll("[^A-Za-z0-9_-].*", "") + "-"
                + HexFormat.of().formatHex(digest.digest()).substring(0, 40) + ".bin";
    }

    /**
     * {@return whether binaries can be stored} If not, no binary is requested from the driver: to return one, PoCL would compile
     * all kernels again.
     */
    boolean areStored() {
        return folder != null && writable;
    }

    /** {@return the binary in a file, or an empty array if there is no valid file} */
    byte[] read(String name) {
        if (folder == null) {
            return NOTHING;
        }
        try {
            byte[] file = Files.readAllBytes(folder.resolve(name));
            int header = MAGIC.length + sha256().getDigestLength();
            if (file.length > header && Arrays.equals(file, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
                byte[] binary = Arrays.copyOfRange(file, header, file.length);
                if (Arrays.equals(sha256().digest(binary), Arrays.copyOfRange(file, MAGIC.length, header))) {
                    return binary;
                }
            }
            forget(name);
        } catch (IOException e) {
            return NOTHING; // missing or not readable
        }
        return NOTHING;
    }

    /** Writes a file atomically: another process reads the whole file or finds none. */
    void write(String name, byte[] binary) {
        if (folder == null || !writable || binary.length == 0) {
            return;
        }
        Path part = null;
        try {
            Files.createDirectories(folder);
            part = Files.createTempFile(folder, name, ".part");
            var content = new ByteArrayOutputStream(binary.length + 64);
            content.writeBytes(MAGIC);
            content.writeBytes(sha256().digest(binary));
            content.writeBytes(binary);
            Files.write(part, content.toByteArray());
            Files.move(part, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException | UnsupportedOperationException e) {
            writable = false;
            LOG.log(System.Logger.Level.DEBUG, "compiled programs are not kept in {0}: {1}", folder, e);
            delete(part);
        }
    }

    void forget(String name) {
        if (folder != null) {
            delete(folder.resolve(name));
        }
    }

    private static void delete(@Nullable Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0} cannot be deleted: {1}", file, e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
