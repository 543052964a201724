package dev.heed.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version that {@code --version} prints: the version that Maven writes into the jar, or "development build". */
final class Version implements IVersionProvider {
    private static final String PROPERTIES = "/META-INF/maven/dev.heed/heed/pom.properties";

    @Override
    public String[] getVersion() throws IOException {
        return new String[] {"heed " + number(), "Java " + Runtime.version()};
    }

    private static String number() throws IOException {
        var properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream(PROPERTIES)) {
            if (in == null) {
                return "development build";
            }
            properties.load(in);
        }
        return properties.getProperty("version", "development build");
    }
}
