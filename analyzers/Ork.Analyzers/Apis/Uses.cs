using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Apis;

/// <summary>What the table asks of a use. Each says which uses are forbidden.</summary>
internal static class Uses
{
    internal static bool WithoutTimeProvider(ApiUse use) => use.Method is { } method && !method.Parameters.Any(parameter => IsNamed(parameter.Type, "TimeProvider"));

    internal static bool WithDelayButNoTimeProvider(ApiUse use) =>
        use.Method is { Parameters.Length: > 0 } && WithoutTimeProvider(use);

    internal static bool WithTimeoutButNoTimeProvider(ApiUse use) =>
        use.Method is { } method && method.Parameters.Any(parameter => IsNamed(parameter.Type, "TimeSpan")) && WithoutTimeProvider(use);

    internal static bool WithTimeProvider(ApiUse use) => use.Method is { Parameters.Length: > 0 } && !WithoutTimeProvider(use);

    /// <summary>An overload that reads the clock by itself: of <c>GetElapsedTime</c> the one with a single argument.</summary>
    internal static bool WithOneArgument(ApiUse use) => use.Method is { Parameters.Length: 1 };

    /// <summary>Calls into the base class, where it is the real thing.</summary>
    internal static bool OnBase(ApiUse use) =>
        use.Operation is IInvocationOperation { Instance: IInstanceReferenceOperation { Syntax: var syntax } } && syntax.ToString() == "base";

    internal static bool WithoutSeed(ApiUse use) => use.Method is { Parameters.Length: 0 };

    /// <summary><c>ConfigureAwait</c> with anything but a plain <c>true</c>.</summary>
    internal static bool LeavesTheContext(ApiUse use)
    {
        if (use.Method is not { Parameters.Length: > 0 } method) return false;
        var flag = method.Parameters[method.Parameters.Length - 1];
        if (IsNamed(flag.Type, "ConfigureAwaitOptions")) return (ArgumentOf(use, flag)?.ConstantValue.Value as int? ?? 0) % 2 == 0;
        return flag.Type.SpecialType == SpecialType.System_Boolean && !(ArgumentOf(use, flag)?.ConstantValue is { HasValue: true, Value: true });
    }

    internal static bool TakesBoolean(ApiUse use) => use.Method is { Parameters.Length: > 0 } method
        && method.Parameters[method.Parameters.Length - 1].Type.SpecialType == SpecialType.System_Boolean && LeavesTheContext(use);

    internal static bool TakesOptions(ApiUse use) => use.Method?.Parameters.Any(parameter => IsNamed(parameter.Type, "ConfigureAwaitOptions")) == true;

    internal static bool OptionsLeaveTheContext(ApiUse use) => TakesOptions(use) && LeavesTheContext(use);

    /// <summary>Starts work without saying where: neither a scheduler of its own nor on the thread that completes.</summary>
    internal static bool WithoutScheduler(ApiUse use)
    {
        if (use.Method is not { } method) return true;
        if (use.Operation is not IInvocationOperation invocation) return true;
        foreach (var argument in invocation.Arguments)
        {
            if (IsNamed(argument.Parameter?.Type, "TaskScheduler"))
                return Unwrap(argument.Value) is IPropertyReferenceOperation { Property: { Name: "Default" or "Current", ContainingType.Name: "TaskScheduler" } };
            if (IsNamed(argument.Parameter?.Type, "TaskContinuationOptions") && argument.Value.ConstantValue.Value is int options
                && (options & (int)System.Threading.Tasks.TaskContinuationOptions.ExecuteSynchronously) != 0)
            {
                return false;
            }
        }

        return method.Name != "Start" || invocation.Arguments.Length == 0;
    }

    /// <summary>A wait that a timer or a token of the real world may end.</summary>
    internal static bool MayEndEarly(ApiUse use)
    {
        if (use.Method is not { Parameters.Length: > 0 }) return false;
        return use.Operation is not IInvocationOperation invocation || invocation.Arguments.Any(argument => !IsNoToken(argument.Value));
    }

    /// <summary>A channel whose readers go on in the thread pool, as they do unless told otherwise.</summary>
    internal static bool ContinuesInThePool(ApiUse use) => !ContinuesInline(use);

    internal static bool ContinuesInline(ApiUse use) => use.Operation is IInvocationOperation invocation
        && invocation.Arguments.Any(argument => Unwrap(argument.Value) is IObjectCreationOperation { Initializer: { } initializer }
            && initializer.Initializers.OfType<ISimpleAssignmentOperation>().Any(assignment =>
                assignment.Target is IPropertyReferenceOperation { Property.Name: "AllowSynchronousContinuations" }
                    && assignment.Value.ConstantValue is { HasValue: true, Value: true }));

    internal static bool IsAsync(ApiUse use) => use.Member.Name.EndsWith("Async", StringComparison.Ordinal);

    internal static bool OpensAPath(ApiUse use) => use.Method is { Parameters: [{ Type.SpecialType: SpecialType.System_String }, ..] };

    internal static bool TakesSpan(ApiUse use) => use.Method is { Parameters: [{ Type: var type }, ..] } && IsNamed(type, "ReadOnlySpan");

    /// <summary><c>Monitor.TryEnter</c> with anything but the object and the flag.</summary>
    internal static bool WithTimeout(ApiUse use) => use.Method is { } method
        && method.Parameters.Any(parameter => parameter.Type.SpecialType == SpecialType.System_Int32 || IsNamed(parameter.Type, "TimeSpan"));

    internal static bool TakesNoBound(ApiUse use) => use.Method is { } method
        && !method.Parameters.Any(parameter => parameter.Type.SpecialType == SpecialType.System_Int32);

    internal static bool BoundIsNone(ApiUse use) => Arguments(use.Operation)
        .Any(argument => argument.Value.ConstantValue is { HasValue: true, Value: int.MaxValue or long.MaxValue });

    /// <summary>A factory that waits, or takes a lock, inside <c>Lazy</c>'s own.</summary>
    internal static bool FactoryWaits(ApiUse use) => Arguments(use.Operation).Any(argument =>
        argument.Value is IDelegateCreationOperation { Target: var target } && target switch
        {
            IAnonymousFunctionOperation function => function.Symbol.IsAsync || function.Descendants().Any(inner => inner is IAwaitOperation or ILockOperation),
            IMethodReferenceOperation { Method: var method } => method.IsAsync,
            _ => false,
        });

    internal static ImmutableArray<IArgumentOperation> Arguments(IOperation operation) => operation switch
    {
        IInvocationOperation invocation => invocation.Arguments,
        IObjectCreationOperation creation => creation.Arguments,
        _ => [],
    };

    internal static IOperation Unwrap(IOperation operation)
    {
        while (true)
        {
            switch (operation)
            {
                case IConversionOperation conversion:
                    operation = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    operation = parenthesized.Operand;
                    break;
                default:
                    return operation;
            }
        }
    }

    internal static bool IsNamed(ITypeSymbol? type, string name) => type?.Name == name;

    private static bool IsNoToken(IOperation value)
    {
        value = Unwrap(value);
        return value is IDefaultValueOperation or IPropertyReferenceOperation { Property: { Name: "None", ContainingType.Name: "CancellationToken" } }
            || (value is IObjectCreationOperation { Arguments.Length: 0 } creation && IsNamed(creation.Type, "CancellationToken"));
    }

    private static IOperation? ArgumentOf(ApiUse use, IParameterSymbol parameter) => Arguments(use.Operation)
        .FirstOrDefault(argument => argument.Parameter?.Ordinal == parameter.Ordinal)?.Value;
}
