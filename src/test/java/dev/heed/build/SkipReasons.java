package dev.heed.build;

import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Prints one line for every test that did not run, with the reason, so that a run without a GPU is distinguishable from
 * a run with one.
 */
public final class SkipReasons implements TestExecutionListener {
    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        print(test, reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            print(test, result.getThrowable().map(Throwable::getMessage).orElse("no reason given"));
        }
    }

    private static void print(TestIdentifier test, String reason) {
        String place = test.getSource()
                .map(source -> switch (source) {
                    case MethodSource method -> simple(method.getClassName()) + "." + method.getMethodName();
                    case ClassSource type -> simple(type.getClassName());
                    default -> source.toString();
                })
                .orElse(test.getUniqueId());
        String name = test.getDisplayName();
        boolean named = name.equals(place) || place.endsWith("." + name.replace("()", ""));
        System.out.println("SKIPPED " + place + (named ? "" : " \"" + name + "\"") + ": "
                + String.valueOf(reason)
                        .replaceFirst("^Assumption failed: ", "")
                        .strip()
                        .replaceAll("\\s*\\R\\s*", " | "));
    }

    private static String simple(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }
}
