// A caller as a gateway would have it: asks the kernel, batches, times out, follows many commands. No rule for callers has anything to say.
using Ork.Client;
using Ork.Protocol;

namespace Foreign.Gateway;

public sealed class CurtailmentPlan(OrkClient client, ClientPorts ports)
{
    private readonly List<string> _failed = [];

    public IReadOnlyList<string> Failed => _failed;

    public async Task<int> RunAsync(IReadOnlyList<string> devices, double share, CancellationToken cancellation)
    {
        var wanted = devices.Take((int)Math.Ceiling(devices.Count * share)).ToArray();
        var done = 0;
        foreach (var chunk in wanted.Chunk(64))
        {
            var views = await Task.WhenAll(chunk.Select(device => SleepAsync(device, cancellation)).ToArray());
            done += views.Count(view => view is { Status: CommandStatus.Success });
        }

        return done;
    }

    private async Task<CommandView?> SleepAsync(string deviceId, CancellationToken cancellation)
    {
        var order = new CommandOrder { Command = "set-power-mode", Params = new { mode = "sleep" }, DeviceId = deviceId, IdempotencyKey = $"curtail:{deviceId}" };
        for (var failures = 0; ; failures++)
        {
            try
            {
                var receipt = await client.SendAsync(order, cancellation);
                return await client.WaitAsync(receipt.CommandId, cancellation);
            }
            catch (OrkRefusedException refused) when (refused.RetryAfterMs is { } hintMs && failures < 5)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(hintMs + ports.Entropy.FullJitterMs(failures, hintMs, 5_000)), ports.Time, cancellation);
            }
            catch (OrkRefusedException)
            {
                _failed.Add(deviceId);
                return null;
            }
        }
    }
}
