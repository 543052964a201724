package dev.heed.opencl.calls;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * JOCL's classes and its native library. Initialising {@code org.jocl.CL} unpacks that library to a fixed name in
 * {@code java.io.tmpdir}, uses whatever file has the name already, and leaves it there. {@link #load} therefore gives it a new
 * folder that only this user can read, write and search, and deletes the file as soon as it is loaded.
 */
public final class JoclLibrary {
    private static final String MAIN_CLASS = "org.jocl.CL";
    private static final String FOLDER = "java.io.tmpdir";

    private JoclLibrary() {}

    /** {@return whether JOCL's classes can be loaded; nothing is initialised} */
    public static boolean isPresent() {
        try {
            mainClass(false);
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** {@return whether JOCL's module may call native code without a warning; false where JOCL is not present} */
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
     * Loads the native library. JOCL has no other way to be told the folder than a system property, which is put back; the
     * caller holds {@link OneAtATime#LOCK}, so that it is the one that was found.
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

    /** What is loaded stays loaded, except on Windows, where the file can only go when the process ends. */
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
            // another thread asked for a temporary folder meanwhile, and uses this one
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }
}
