package dev.heed.opencl;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program that runs {@link SayDevices} in three class loaders at once, like three applications in one server. */
public final class SayInLoaders {
    private static final int LOADERS = 3;

    private SayInLoaders() {}

    public static void main(String[] args) throws Exception {
        List<URL> places = new ArrayList<>();
        for (String place : System.getProperty("java.class.path").split(File.pathSeparator)) {
            places.add(Path.of(place).toUri().toURL());
        }
        List<Thread> threads = new ArrayList<>();
        for (int n = 0; n < LOADERS; n++) {
            var loader = new URLClassLoader(places.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            threads.add(Thread.ofPlatform().start(() -> say(loader)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static void say(ClassLoader loader) {
        try {
            Class<?> program = Class.forName(SayDevices.class.getName(), true, loader);
            program.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
