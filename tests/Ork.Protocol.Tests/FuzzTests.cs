using System.Text;

namespace Ork.Protocol.Tests;

public sealed class FuzzTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_bytes_give_an_envelope_or_a_code(int seed)
    {
        var fuzzer = new FrameFuzzer(seed);
        var accepted = 0;
        for (var i = 0; i < 20_000; i++)
        {
            if (FrameFuzzer.Try(fuzzer.Next())) accepted++;
        }

        // A fuzzer whose every frame is refused at the door tests only the door.
        Assert.InRange(accepted, 200, 19_000);
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
}
