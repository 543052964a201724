package dev.heed.view;

/** A writer of a sheet as PNG, which reports the reason if this runtime cannot draw or the image is too large. */
final class PngFile {
    private PngFile() {}

    static byte[] draw(Sheet sheet, int scale) {
        if (sheet.width() * scale * sheet.height() * scale > Integer.MAX_VALUE / 4.0) {
            throw new UnsupportedOperationException("A PNG of " + Math.round(sheet.width() * scale) + " x "
                    + Math.round(sheet.height() * scale)
                    + " pixels is larger than an image can be. HINT: a smaller scale, fewer panels, or svg(file)");
        }
        try {
            return PngCanvas.draw(sheet, scale);
        } catch (LinkageError missing) {
            throw new UnsupportedOperationException(
                    "PNG needs the JDK's module java.desktop, which this runtime lacks (" + missing
                            + "). HINT: jlink --add-modules java.desktop, or svg(file)",
                    missing);
        } catch (Error failure) {
            // Compared by name: a class that catches this type cannot be loaded if the module is missing.
            if (!failure.getClass().getName().equals("java.awt.AWTError")) {
                throw failure;
            }
            throw new UnsupportedOperationException(
                    "The JDK's graphics look for a display (" + failure.getMessage()
                            + "). HINT: java -Djava.awt.headless=true, or svg(file)",
                    failure);
        }
    }
}
