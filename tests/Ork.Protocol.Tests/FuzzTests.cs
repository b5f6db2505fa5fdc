using System.Buffers;
using System.Text;

namespace Ork.Protocol.Tests;

public sealed class FuzzTests
{
    /// <summary>Fewer where the same tests run many times, as under mutation: ORK_FUZZ_FRAMES says how many.</summary>
    private static readonly int Frames = int.TryParse(Environment.GetEnvironmentVariable("ORK_FUZZ_FRAMES"), System.Globalization.CultureInfo.InvariantCulture, out var frames) ? frames : 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_bytes_give_an_envelope_or_a_code(int seed)
    {
        var fuzzer = new FrameFuzzer(seed);
        var accepted = 0;
        for (var i = 0; i < Frames; i++)
        {
            if (FrameFuzzer.Try(fuzzer.Next())) accepted++;
        }

        // A fuzzer whose every frame is refused at the door tests only the door.
        Assert.InRange(accepted, Frames / 100, Frames * 95 / 100);
    }

    [Fact]
    public void Every_cut_of_a_frame_gives_an_envelope_or_a_code()
    {
        foreach (var sample in FrameFuzzer.Samples)
        {
            var bytes = Encoding.UTF8.GetBytes(sample);
            for (var length = 0; length < bytes.Length; length++) FrameFuzzer.Try(bytes.AsMemory(0, length));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_frame_as_our_writer_writes_it_is_read_as_the_same_frame_written_otherwise(int seed)
    {
        var random = new Random(seed);
        var accepted = 0;
        for (var i = 0; i < Frames; i++)
        {
            var frame = AsWritten(FrameFuzzer.Samples[random.Next(FrameFuzzer.Samples.Length)]);
            for (var change = random.Next(4); change > 0; change--) frame[random.Next(2, frame.Length)] = Likely[random.Next(Likely.Length)];

            // A space where the writer puts none: token by token is the only way to read it.
            byte[] otherwise = [frame[0], (byte)' ', .. frame.AsSpan(1)];
            var error = EnvelopeReader.Read(frame, out var one);
            Assert.Equal(EnvelopeReader.Read(otherwise, out var other), error);
            Assert.Equal(Told(in other), Told(in one));
            if (error is null) accepted++;
        }

        Assert.InRange(accepted, Frames / 10, Frames * 9 / 10);
    }

    private static readonly byte[] Likely = [.. "\"\\{}[]:,0123-. nule"u8, 0, 0x1f, 0x7f, 0xc3, 0xff];

    private static byte[] AsWritten(string sample)
    {
        Assert.Null(EnvelopeReader.Read(Encoding.UTF8.GetBytes(sample), out var envelope));
        var buffer = new ArrayBufferWriter<byte>();
        EnvelopeWriter.Write(buffer, in envelope);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Told(in Envelope envelope) => string.Join(
        '|', envelope.Id, envelope.Version, envelope.Type, envelope.Action, envelope.Sender, envelope.Target, envelope.DeviceId, envelope.Timestamp,
        Encoding.UTF8.GetString(envelope.Payload.Span), Encoding.UTF8.GetString(envelope.Unknown.Span));
}
