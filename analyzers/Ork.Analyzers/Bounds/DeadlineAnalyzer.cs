using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;
using Ork.Analyzers.Effects;

namespace Ork.Analyzers.Bounds;

/// <summary>ORK0302: exchanges that are given no time, requests sent past them without a timer, and dials that nothing ends.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class DeadlineAnalyzer : DiagnosticAnalyzer
{
    private const string GiveTime = "give it a time in milliseconds above 0";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.NoDeadline);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.NoDeadline)) return;
            start.RegisterOperationAction(at => Call(at, roles), OperationKind.Invocation);
            start.RegisterOperationAction(at => Option(at, roles), OperationKind.SimpleAssignment);
            start.RegisterOperationAction(at => Default(at, roles), OperationKind.PropertyInitializer);
        });
    }

    private static void Call(OperationAnalysisContext context, RoleReader roles)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        if (method.ContainingType is { Name: "Exchanges", ContainingNamespace.Name: "Kernel" } && method.Name == "Send")
        {
            var time = call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "timeoutMs")?.Value;
            if (time is not null && IsEndless(time, zeroToo: true)) context.Find(roles, Rules.NoDeadline, time, "The exchange", GiveTime);
        }
        else if (Exchanges.KindOf(call) is { } kind && Exchanges.IsRequest(kind))
        {
            if (!HasTimer(call)) context.Find(roles, Rules.NoDeadline, call, "The request", "send it through Exchanges, or set a timer that ends it");
        }
        else if (method.Name == "ConnectAsync" && Exchanges.Starts(call, method))
        {
            var token = call.Arguments.FirstOrDefault(argument => Uses.IsNamed(argument.Parameter?.Type, "CancellationToken"))?.Value;
            if (token is not null && IsNone(token)) context.Find(roles, Rules.NoDeadline, call, "The dial", "give it a token that a timer cancels");
        }
    }

    /// <summary>An option that takes a deadline away.</summary>
    private static void Option(OperationAnalysisContext context, RoleReader roles)
    {
        var assignment = (ISimpleAssignmentOperation)context.Operation;
        if (assignment.Target is IPropertyReferenceOperation { Property.Name: var name } && IsTimeout(name) && IsEndless(assignment.Value, zeroToo: false))
            context.Find(roles, Rules.NoDeadline, assignment, $"What {name} times", GiveTime);
    }

    private static void Default(OperationAnalysisContext context, RoleReader roles)
    {
        var initializer = (IPropertyInitializerOperation)context.Operation;
        if (initializer.InitializedProperties.Any(property => IsTimeout(property.Name)) && IsEndless(initializer.Value, zeroToo: false))
            context.Find(roles, Rules.NoDeadline, initializer, $"What {initializer.InitializedProperties[0].Name} times", GiveTime);
    }

    private static bool IsTimeout(string name) => name.EndsWith("TimeoutMs", StringComparison.Ordinal) || name == "Timeout";

    private static bool IsEndless(IOperation value, bool zeroToo)
    {
        value = Uses.Unwrap(value);
        if (value is IFieldReferenceOperation { Field: { Name: "InfiniteTimeSpan" or "MaxValue", ContainingType.Name: "Timeout" or "TimeSpan" } }) return true;
        if (value is ILocalReferenceOperation { Local: var local })
            return local.DeclaredValue(value) is { } given && IsEndless(given, zeroToo);

        return value.ConstantValue.Value switch
        {
            int number => number < 0 || number == int.MaxValue || (zeroToo && number == 0),
            long number => number < 0 || number >= int.MaxValue || (zeroToo && number == 0),
            _ => false,
        };
    }

    private static bool IsNone(IOperation token)
    {
        token = Uses.Unwrap(token);
        return token is IDefaultValueOperation or IPropertyReferenceOperation { Property: { Name: "None", ContainingType.Name: "CancellationToken" } };
    }

    /// <summary>True where the member that sends also sets a timer.</summary>
    private static bool HasTimer(IOperation call)
    {
        return call.Root().Descendants().Any(operation => operation switch
        {
            IInvocationOperation { TargetMethod: { Name: "Set", ContainingType.Name: "TimerWheel" } } => true,
            IInvocationOperation { TargetMethod.Name: "CreateTimer" or "CancelAfter" } => true,
            IInvocationOperation { TargetMethod: { Name: "WaitAsync", Parameters: [{ Type.Name: "TimeSpan" }, ..] } } => true,
            IObjectCreationOperation { Type.Name: "CancellationTokenSource", Arguments.Length: > 0 } => true,
            _ => false,
        });
    }
}
