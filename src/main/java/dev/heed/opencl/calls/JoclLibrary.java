package dev.heed.opencl.calls;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * JOCL's classes and its native library. Initialising {@code org.jocl.CL} unpacks the library to a fixed name in
 * {@code java.io.tmpdir}, or uses any file that already has this name, and leaves the file there. {@link #load} therefore sets
 * {@code java.io.tmpdir} to a new folder that only this user can access, and deletes the file as soon as it is loaded.
 */
public final class JoclLibrary {
    private static final String MAIN_CLASS = "org.jocl.CL";
    private static final String FOLDER = "java.io.tmpdir";

    private JoclLibrary() {}

    /** {@return whether JOCL's classes can be loaded; does not initialise them} */
    public static boolean isPresent() {
        try {
            mainClass(false);
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** {@return whether JOCL's module may call native code without a warning; false if JOCL is not present} */
    public static boolean isEnabled() {
        try {
            return mainClass(false).getModule().isNativeAccessEnabled();
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private static Class<?> mainClass(boolean initialised) throws ClassNotFoundException {
        return Class.forName(MAIN_CLASS, initialised, JoclLibrary.class.getClassLoader());
    }

    /**
     * Loads the native library. Sets {@code java.io.tmpdir} to a new folder meanwhile and restores it afterwards. The caller must
     * hold {@link ProcessLock#LOCK}; otherwise one call could restore the temporary folder of another.
     *
     * @throws IOException if there is no folder to unpack to
     * @throws LinkageError if the library does not load
     */
    public static void load() throws IOException, ClassNotFoundException {
        String before = System.getProperty(FOLDER);
        Path own = Files.createTempDirectory(Path.of(before), "heed-jocl-");
        System.setProperty(FOLDER, own.toString());
        try {
            mainClass(true);
        } finally {
            System.setProperty(FOLDER, before);
            delete(own);
        }
    }

    /** Deletes the folder. The library stays loaded; on Windows, the file can be deleted only when the process ends. */
    private static void delete(Path folder) {
        try (var files = Files.list(folder)) {
            List<Path> libraries = files.filter(
                            file -> file.getFileName().toString().contains("JOCL"))
                    .toList();
            for (Path library : libraries) {
                Files.delete(library);
            }
            Files.delete(folder);
        } catch (DirectoryNotEmptyException e) {
            // another thread has read the property meanwhile and put files in this folder
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }
}
