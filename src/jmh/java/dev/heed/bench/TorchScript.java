package dev.heed.bench;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A writer of TorchScript modules with one method, as archives that libtorch loads: an uncompressed zip of the code,
 * its constants and a pickle of the module. The only field of a module is {@code training}.
 */
final class TorchScript {
    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};
    private static final String VERSION = "3\n";

    private TorchScript() {}

    /**
     * {@return the archive of a module}
     *
     * @param parameters the names of the method's tensors
     * @param body the statements of the method; the last one returns a tensor
     */
    static InputStream archive(String[] parameters, String... body) throws IOException {
        var code = new StringBuilder("class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                + "  def forward(self: __torch__.M");
        for (String name : parameters) {
            code.append(",\n    ").append(name).append(": Tensor");
        }
        code.append(") -> Tensor:\n");
        for (String line : body) {
            code.append("    ").append(line).append('\n');
        }
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            store(zip, "m/data.pkl", pickle());
            store(zip, "m/code/__torch__.py", code.toString().getBytes(StandardCharsets.UTF_8));
            store(zip, "m/constants.pkl", NO_CONSTANTS);
            store(zip, "m/version", VERSION.getBytes(StandardCharsets.US_ASCII));
        }
        return new ByteArrayInputStream(bytes.toByteArray());
    }

    /** {@return the pickle, in protocol 2, of an object of class {@code __torch__.M} with state {@code {"training": False}}} */
    private static byte[] pickle() {
        String text = "\u0080\u0002c__torch__\nM\nq\0)\u0081}(X\b\0\0\0trainingq\u0001\u0089ubq\u0002.";
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        var crc = new CRC32();
        crc.update(content);
        var entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }
}
