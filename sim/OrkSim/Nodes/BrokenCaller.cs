using Ork.Protocol;

namespace OrkSim;

/// <summary>A caller that does everything wrong that can be done wrong on a link, and now and then something that is unusual.</summary>
internal sealed class BrokenCaller(SimWorld world, SimNode node, INetwork network, LinkEndpoint endpoint)
{
    internal async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(world.Draws.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(6)), node.Clock);
            if (!world.FaultsOn) return;
            try
            {
                Misbehave(await network.ConnectAsync(endpoint, null, CancellationToken.None));
            }
            catch (LinkException)
            {
                // The kernel is down.
            }
        }
    }

    /// <summary>The id of a question that says more than anybody knows of.</summary>
    internal const string Traced = "traced";

    /// <summary>What it says more.</summary>
    internal const string Trace = "\"x-trace\":{\"of\":[1,\"two\"]},\"x-span\":\"7\"";

    // An order like any other, but for what its envelope says that it is.
    private const string Order = "{\"command\":\"reboot\",\"scope\":\"device\"}";

    private void Misbehave(IConnection link)
    {
        switch (world.Draws.Pick(DrawKind.Pick, 10))
        {
            case 0:
                (link as SimConnection)?.SendGarbage(ErrorCodes.FrameMalformed);
                break;
            case 1:
                (link as SimConnection)?.SendGarbage(ErrorCodes.FrameTooLarge);
                break;
            case 2:
                link.Send(FrameKind.Request, 1, "not json"u8);
                link.Send(FrameKind.Request, 2, "{\"id\":\"x\"}"u8);
                break;
            case 3:
                link.Send(FrameKind.Response, 1, "{}"u8);
                break;
            case 4:
                link.Send(FrameKind.Hello, 0, "[]"u8);
                link.Send(FrameKind.Hello, 0, []);
                break;
            case 5:
                for (var i = 0; i < 400; i++) link.Send(FrameKind.Request, (ulong)i, Envelope("worker.list", "{}"));
                break;
            case 6:
                link.Send(FrameKind.Request, 3, Envelope("command.request", Order, "response"));
                link.Send(FrameKind.Request, 4, Envelope("command.request", Order, "event"));
                link.Send(FrameKind.Request, 1, Envelope("command.request", "{\"command\":\"reboot\",\"scope\":\"galaxy\"}"));
                link.Send(FrameKind.Request, 1, Envelope("identity.request", "{}"));
                link.Send(FrameKind.Request, 1, Envelope("command.status", "{\"commandId\":\"none\",\"waitMs\":5000}"));
                break;
            case 7:
                foreach (var mistake in Mistakes.All) link.Send(FrameKind.Request, mistake.Correlation, mistake.Frame);
                break;
            case 8:
                link.Send(FrameKind.Request, 5, Envelope("state.pull", "{}", id: Traced, more: $",{Trace}"));
                break;
            default:
                break;
        }

        // Some go at once, some leave the link open and never read it.
        if (world.Draws.Pick(DrawKind.Pick, 3) > 0) link.Close(null);
    }

    private static byte[] Envelope(string action, string payload, string type = "request", string id = "b", string more = "") => System.Text.Encoding.UTF8.GetBytes(
        $$"""{"id":"{{id}}","version":"0.2.0","type":"{{type}}","action":"{{action}}","sender":"broken","deviceId":"d-001-01","timestamp":1{{more}},"payload":{{payload}}}""");
}
